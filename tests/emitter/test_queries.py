"""What a process without clients asks, and does to the clients of all nodes, on every bus."""

from __future__ import annotations

import asyncio
import functools
import signal

import pytest

from socketio_cluster import AsyncEmitter, BrokerError, ClientAnswer, Emitter, PartialAnswer
from tests.emitter.conftest import QUICK
from tests.harness import SECONDS, client, eventually, fence, three_nodes
from tests.outage.test_node_gone import lonely  # noqa: F401 - a fixture


async def know(nodes, health):
    """Return when an emitter knows all nodes: on a busy machine their first word may be late."""
    for node in nodes:
        node.manager.on_server("here", lambda: True)
    async with asyncio.timeout(SECONDS):
        while len(await health("here")) < len(nodes):
            pass


async def test_many_clients(emitter, nodes, clients):
    """Clients of all nodes are counted, moved and disconnected, and the call returns when it is done."""
    await know(nodes, emitter.server_side_emit_with_ack)
    a, b, c = clients
    assert await emitter.count() == 3
    assert await emitter.sockets_join(["red", 7], except_=c.sid) == 2
    assert await emitter.fetch_rooms() == {"red": 2, 7: 2}
    await nodes[2].sio.emit("seven", room=7)
    assert await a.next("seven") == await b.next("seven") == []
    assert await emitter.sockets_leave(7, skip_sid=a.sid) == 2
    assert await emitter.count(7) == 1
    await nodes[1].sio.save_session(b.sid, {"team": "blue"})
    assert await emitter.count(where={"team": "blue"}) == 1
    assert await emitter.disconnect_sockets("red", except_=[7]) == 1
    await b.gone.wait()
    assert await emitter.count(local=True) == 0
    assert await emitter.count() == 2


async def test_events_between_servers(emitter, nodes):
    """All servers hear an event of an emitter, in order, and their answers come to it."""
    await know(nodes, emitter.server_side_emit_with_ack)
    heard = []
    for number, node in enumerate(nodes):
        node.manager.on_server("reload", lambda *args, number=number: heard.append((number, *args)))
        node.manager.on_server("health", lambda node=node: node.manager.node_id)
    await emitter.server_side_emit("reload", {"v": 2})
    await emitter.server_side_emit("reload", (1, "two"))
    ids = [node.manager.node_id for node in nodes]
    assert await emitter.server_side_emit_with_ack("health") == dict(zip(ids, ids, strict=True))
    expected = [[(number, {"v": 2}), (number, 1, "two")] for number in range(3)]
    await eventually(lambda: len(heard) == 6)
    assert [[one for one in heard if one[0] == number] for number in range(3)] == expected


@pytest.fixture(params=["asyncio", "blocking"])
async def here(request, nodes, bus_url, prefix):
    """An emitter of each kind in this process; calls of the blocking one are made in a thread."""
    if request.param == "asyncio":
        async with AsyncEmitter(bus_url, prefix=prefix, **QUICK) as one:
            await know(nodes, one.server_side_emit_with_ack)
            yield one, _await
    else:
        one = Emitter(bus_url, prefix=prefix, **QUICK)
        await know(nodes, functools.partial(asyncio.to_thread, one.server_side_emit_with_ack))
        yield one, asyncio.to_thread
        await asyncio.to_thread(one.close)


async def _await(method, *args, **options):
    return await method(*args, **options)


async def test_operator(here, nodes, clients):
    """The operator of an emitter means the same as a server's, but for ``local``, which is nobody."""
    (emitter, call), (a, b, c) = here, clients
    await call(emitter.to("red", a.sid, b.sid).emit, "tick", 1)
    await call(emitter.except_(a.sid).emit, "tick", 2, skip_sid=c.sid)
    await call(emitter.local.emit, "nobody")
    await call(emitter.volatile.emit, "tick", 3)
    await nodes[2].sio.save_session(c.sid, {"level": 3})
    await call(emitter.where({"level >": 2}).compress(True).emit, "tick", 4)
    await call(emitter.emit, "tick", 5, room=[a.sid, b.sid], except_=b.sid)
    await call(emitter.emit, "tick", 6, where={"level >": 2}, volatile=True)
    await call(emitter.emit, "nobody", local=True)
    with pytest.raises(TypeError, match="excpet"):
        await call(emitter.emit, "nobody", excpet=b.sid)
    for one, expected in ((a, [1, 3, 5]), (b, [1, 2, 3]), (c, [3, 4, 6])):
        assert [await one.next("tick") for _ in expected] == [[number] for number in expected]
    await fence(nodes[0], *clients)
    whom = emitter.except_(c.sid).timeout(10)
    assert await call(whom.sockets_join, "red") == 2
    assert await call(emitter.to("red").count) == 2
    assert await call(emitter.rooms_of, a.sid) == {"red"}
    answers = await call(whom.emit_with_ack, "ask", b"\x00")
    assert sorted(answers) == sorted(ClientAnswer(one.sid, b"\x00") for one in (a, b))
    assert {one.sid for one in await call(emitter.of("/").fetch_sockets)} == {a.sid, b.sid, c.sid}
    assert await call(emitter.to("red").sockets_leave, "red") == 2
    assert await call(emitter.of("/chat").disconnect_sockets) == 0
    with pytest.raises(TypeError, match="emit_with_ack"):
        await call(emitter.to("red").emit, "tick", callback=print)


@pytest.mark.parametrize("here", ["blocking"], indirect=True)
async def test_one_by_one(here, nodes, clients):
    """A blocking emitter gives clients and answers one by one; who stops lets all nodes forget."""
    emitter, _ = here

    def ask():
        sids = sorted(one.sid for one in emitter.iter_sockets())
        answers = sorted(emitter.iter_answers("ask", 1))
        next(emitter.to(*sids).iter_answers("ask", 2))
        next(emitter.except_(sids[0]).iter_sockets())
        with pytest.raises(ValueError, match="timeout"):
            emitter.iter_sockets(timeout=-1)
        return sids, answers

    sids, answers = await asyncio.to_thread(ask)
    assert sids == sorted(one.sid for one in clients)
    assert answers == [ClientAnswer(sid, 1) for sid in sids]
    await eventually(lambda: not any(len(node.manager.replies) for node in nodes))


async def test_node_dies(bus_url, prefix, lonely):  # noqa: F811 - the fixture
    """An emitter waits for no dead node, and names a silent one."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        await eventually(lambda: all(lonely.id in node.manager.nodes() for node in nodes))
        async with AsyncEmitter(bus_url, prefix=prefix, **QUICK) as emitter, client(nodes[0]):
            await eventually(lambda: len(emitter.node.nodes) == 3)
            assert await emitter.count() == 1
            lonely.process.send_signal(signal.SIGSTOP)
            with pytest.raises(PartialAnswer) as caught:
                await emitter.count(timeout=0.3)
            assert (caught.value.answer, caught.value.missing) == (1, {lonely.id})
            await lonely.kill()
            assert await asyncio.wait_for(emitter.count(timeout=600), 30) == 1


async def test_bus_away(redis, prefix):
    """Without a bus nothing is asked: the error says so within the emitter's time."""
    redis.stop()
    async with three_nodes(None, prefix, count=1):
        emitter = AsyncEmitter(redis.url, prefix=prefix, timeout=0.3)
        for ask in (emitter.count, emitter.fetch_sockets, lambda: emitter.server_side_emit("reload")):
            with pytest.raises(BrokerError, match="not reached"):
                await ask()
        await emitter.close()


async def test_each_call_is_the_first(nodes, clients, bus_url, prefix):
    """Whatever an emitter is asked first, it connects by itself."""
    sid = clients[1].sid
    await nodes[0].sio.enter_room(sid, "red")
    calls = [
        (lambda one: one.rooms_of(sid), {"red"}),
        (lambda one: one.fetch_sockets("nobody"), []),
        (lambda one: one.emit_with_ack("ask", room="nobody"), []),
        (lambda one: one.to("nobody").except_(sid).emit("tick"), None),
        (lambda one: one.sockets_join("red", "nobody"), 0),
        (lambda one: one.server_side_emit("reload"), None),
    ]
    for call, expected in calls:
        emitter = AsyncEmitter(bus_url, prefix=prefix, heartbeat=1.0)
        try:
            assert await call(emitter) == expected
        finally:
            await emitter.close()
