"""Every call, while a node dies, stands still or starts; and whom no call finds. On every bus."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import NamedTuple

import pytest

from socketio_cluster import ClientAnswer, PartialAnswer
from tests.harness import Node, client, eventually, three_nodes
from tests.outage.test_node_gone import QUICK


class Scene(NamedTuple):
    """Two nodes here, one that can be stopped and killed, and a client on each of the last two."""

    nodes: list[Node]
    here: str
    far: str

    def ask(self, timeout):
        """Begin every call; gives the tasks by the call's name."""
        sio, whom = self.nodes[0].sio, self.nodes[0].sio.to(self.here, self.far).timeout(timeout)
        calls = {
            "fetch_sockets": sids(whom.fetch_sockets()),
            "count": whom.count(),
            "fetch_rooms": sio.fetch_rooms(timeout=timeout),
            "sockets_join": whom.sockets_join("entered"),
            "sockets_leave": whom.sockets_leave("left"),
            "disconnect_sockets": sio.disconnect_sockets("leavers", timeout=timeout),
            "emit_with_ack": whom.emit_with_ack("ask", 1).all(),
            "server_side_emit_with_ack": sio.server_side_emit_with_ack("health", timeout=timeout),
        }
        return {name: asyncio.create_task(call) for name, call in calls.items()}

    def answers(self, *clients):
        """What the calls give when these clients are found."""
        return {
            "fetch_sockets": set(clients),
            "count": len(clients),
            "sockets_join": len(clients),
            "sockets_leave": len(clients),
            "disconnect_sockets": 1,
            "emit_with_ack": sorted(ClientAnswer(sid, 1) for sid in clients),
            "server_side_emit_with_ack": {self.nodes[1].manager.node_id: "fine"},
        }

    @property
    def idle(self):
        managers = [node.manager for node in self.nodes]
        return not any(len(m.queries) or len(m.replies) or len(m.client_acks) for m in managers)


async def sids(stream):
    """The sids of a list of clients; those of what has come, where it is an error."""
    try:
        return {one.sid for one in await stream}
    except PartialAnswer as error:
        error.answer = {one.sid for one in error.answer}
        raise


def plain(name, answer):
    """An answer in the order of ``Scene.answers``."""
    return sorted(answer) if name == "emit_with_ack" else answer


@contextlib.asynccontextmanager
async def scene(bus_url, prefix, lonely, **options):
    async with three_nodes(bus_url, prefix, count=2, **options) as nodes:
        await eventually(lambda: all(lonely.id in node.manager.nodes() for node in nodes))
        assert await nodes[0].manager.introduced(15)  # What it asks is asked at once then.
        nodes[1].sio.on_server("health", lambda: "fine")
        async with client(nodes[1]) as here, client(nodes[1]) as leaver, client(lonely) as far:
            await nodes[1].sio.enter_room(leaver.sid, "leavers")
            yield Scene(nodes, here.sid, far.sid)


async def test_killed(bus_url, prefix, lonely):
    """Calls that wait for a node that dies end with what the others said, when its death is known."""
    async with scene(bus_url, prefix, lonely, **QUICK) as stage:
        lonely.process.send_signal(signal.SIGSTOP)
        asked = stage.ask(timeout=600)
        await asyncio.wait(asked.values(), timeout=0.5)
        await lonely.kill()
        await eventually(lambda: lonely.id not in stage.nodes[0].manager.nodes())
        await asyncio.wait_for(asyncio.wait(asked.values()), 5)
        for name, expected in stage.answers(stage.here).items():
            assert plain(name, asked[name].result()) == expected, name
        assert asked["fetch_rooms"].result().keys() <= {"leavers", "entered"}
        await eventually(lambda: stage.idle)


async def test_frozen(bus_url, prefix, lonely):
    """Calls that a silent node does not answer in time name it, and carry what the others said."""
    async with scene(bus_url, prefix, lonely) as stage:
        lonely.process.send_signal(signal.SIGSTOP)
        asked = stage.ask(timeout=1)
        await asyncio.wait(asked.values())
        lonely.process.send_signal(signal.SIGCONT)
        for name, expected in stage.answers(stage.here).items():
            error = asked[name].exception()
            assert isinstance(error, PartialAnswer), name
            assert plain(name, error.answer) == expected, name
            assert (error.missing, error.failures) == ({lonely.id}, {}), name
            assert f"no answer from node {lonely.id} within 1 s" in str(error), name
        await eventually(lambda: stage.idle)
        await eventually(lambda: lonely.id in stage.nodes[0].manager.nodes())
        assert await stage.nodes[0].sio.count([stage.here, stage.far]) == 2


async def test_started(bus_url, prefix, lonely):
    """A node that starts while calls wait does them no harm: they end with all who were asked."""
    async with scene(bus_url, prefix, lonely) as stage:
        lonely.process.send_signal(signal.SIGSTOP)
        asked = stage.ask(timeout=60)
        late = Node(bus_url, prefix)
        await late.start()
        try:
            await eventually(lambda: late.manager.node_id in stage.nodes[0].manager.nodes())
            lonely.process.send_signal(signal.SIGCONT)
            await asyncio.wait(asked.values())
        finally:
            lonely.process.send_signal(signal.SIGCONT)
            await late.stop()
        handlers = asked.pop("server_side_emit_with_ack").exception()
        assert list(handlers.failures) == [lonely.id]  # it has none
        for name, expected in stage.answers(stage.here, stage.far).items():
            if name in asked:
                assert plain(name, asked[name].result()) == expected, name


@pytest.mark.parametrize("fate", ["killed", "frozen"])
async def test_in_the_middle_of_a_list(bus_url, prefix, lonely, fate):
    """A list ends without the rest of a node that dies, and with an error for one that stands still."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes, contextlib.AsyncExitStack() as stack:
        await eventually(lambda: all(lonely.id in node.manager.nodes() for node in nodes))
        here = await stack.enter_async_context(client(nodes[1]))
        far = [await stack.enter_async_context(client(lonely)) for _ in range(12)]
        everybody = {here.sid, *(one.sid for one in far)}
        rooms = [f"{number:0200}" for number in range(170)]
        assert await nodes[0].sio.sockets_join(rooms) == 13  # each fills a piece
        seen = []
        with pytest.raises(PartialAnswer) if fate == "frozen" else contextlib.nullcontext() as caught:
            async for one in nodes[0].sio.fetch_sockets(timeout=0.7 if fate == "frozen" else 600):
                seen.append(one.sid)
                if one.node == lonely.id and fate == "killed":
                    await lonely.kill()
                elif one.node == lonely.id:
                    lonely.process.send_signal(signal.SIGSTOP)
        assert here.sid in seen
        assert 2 <= len(seen) < 13
        assert set(seen) <= everybody
        if fate == "frozen":
            assert (caught.value.answer, caught.value.missing) == ([], {lonely.id})
            await lonely.kill()  # its clients would say goodbye to it, and wait
        await eventually(lambda: not any(len(node.manager.queries) for node in nodes))


async def test_answers_of_a_node_that_dies(bus_url, prefix, lonely):
    """Who waits for clients' answers waits no more for those of a node that has died."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        await eventually(lambda: all(lonely.id in node.manager.nodes() for node in nodes))
        async with client(nodes[1]) as here, client(lonely) as far, client(lonely, reply=False) as silent:
            expected, seen = sorted(ClientAnswer(one.sid, b"\x00") for one in (here, far)), []
            async for answer in nodes[0].sio.emit_with_ack("ask", b"\x00", timeout=600):
                seen.append(answer)
                if len(seen) == 2:
                    await silent.next("ask")
                    await lonely.kill()
            assert sorted(seen) == expected
            await eventually(lambda: not len(nodes[0].manager.queries))


async def test_whom_nobody_knows(nodes, connect):
    """A sid that is unknown, gone or of another namespace is nobody for every call, at once."""
    gone, chat = await connect(nodes[1]), await connect(nodes[2], namespace="/chat")
    unknown = [nodes[1].manager.node_id + "x" * 12, "nobody", "A" * 20, gone.sid, chat.sid]
    await gone.disconnect()
    await eventually(lambda: nodes[1].empty)
    for sid in unknown:
        for sio in (nodes[0].sio, nodes[1].sio):
            whom = sio.to(sid).timeout(600)
            assert await whom.fetch_sockets() == await whom.emit_with_ack("ask") == []
            assert await whom.count() == await whom.sockets_join("red") == 0
            assert await whom.sockets_leave("red") == await whom.disconnect_sockets() == 0
    assert await nodes[0].sio.fetch_rooms() == await nodes[0].sio.fetch_rooms("/chat") == {}
    assert await nodes[0].sio.of("/chat").count() == 1


async def test_bad_timeouts(nodes):
    """A timeout that cannot be is refused by every call, before anything is done."""
    sio = nodes[0].sio
    for timeout in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            sio.of("/").timeout(timeout)
        calls = [
            lambda timeout=timeout: sio.count(timeout=timeout),
            lambda timeout=timeout: sio.disconnect_sockets(timeout=timeout),
            lambda timeout=timeout: sio.sockets_join("red", timeout=timeout),
            lambda timeout=timeout: sio.sockets_leave("red", timeout=timeout),
            lambda timeout=timeout: sio.fetch_rooms(timeout=timeout),
            lambda timeout=timeout: sio.rooms_of("nobody", timeout=timeout),
            lambda timeout=timeout: sio.server_side_emit_with_ack("health", timeout=timeout),
        ]
        for call in calls:
            with pytest.raises(ValueError, match="timeout"):
                await call()
        with pytest.raises(ValueError, match="timeout"):
            sio.fetch_sockets(timeout=timeout)
        with pytest.raises(ValueError, match="timeout"):
            sio.emit_with_ack("ask", timeout=timeout)


async def test_every_official_client(nodes, connect_any):
    """Clients of each library, over each transport, are found, moved, asked and disconnected."""
    one = await connect_any(nodes[1])
    await nodes[1].sio.save_session(one.sid, {"level": 3})
    whom = nodes[0].sio.where({"level": 3}).timeout(30)
    assert [each.sid async for each in whom.fetch_sockets()] == [one.sid]
    assert await whom.sockets_join(["red", 7]) == 1
    assert await nodes[2].sio.rooms_of(one.sid) == {"red", 7}
    assert await whom.emit_with_ack("ask", {"raw": b"\x00\xff"}) == [
        ClientAnswer(one.sid, {"raw": b"\x00\xff"})
    ]
    assert await one.next("ask") == [{"raw": b"\x00\xff"}]
    await nodes[2].sio.to("red").except_("muted").emit("tick", 1)
    assert await one.next("tick") == [1]
    assert await whom.sockets_leave("red") == await whom.disconnect_sockets() == 1
    await asyncio.wait_for(one.gone.wait(), 15)
