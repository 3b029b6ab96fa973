"""Presence when nodes are killed, stopped, frozen, started and cut off from one another."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time

import pytest

from socketio_cluster.manager.bus.presence_messages import PresenceCalled
from tests.harness import SECONDS, Node, client, eventually, three_nodes
from tests.presence.far import FarNode
from tests.presence.split import split
from tests.presence.view import View, lists
from tests.services.redis import RedisServer

QUICK = {"heartbeat": 0.4, "dead_after": 2.0, "presence_grace": 1.5}


@pytest.fixture
async def far(bus_url, prefix, calls):
    """A started node that the tests may kill."""
    node = await FarNode(calls).start(bus_url, prefix)
    yield node
    await node.end()


def last_calls(calls):
    """The last call for each key: what a list that an application keeps by its handlers looks like."""
    return {key: kind for kind, _, key, _ in calls}


def auth(key, room="tea"):
    return {"auth": {"room": room, "key": key}}


async def test_killed(bus_url, prefix, calls):
    """With the defaults the users of a killed node leave when it is missed; who is back has never left."""
    far = await FarNode(calls).start(bus_url, prefix, "default")
    async with three_nodes(bus_url, prefix, count=2) as nodes, client(nodes[0]) as watcher:
        await eventually(lambda: all(far.id in node.manager.nodes() for node in nodes))
        view = View(watcher, "tea")
        await nodes[0].sio.presence.watch(watcher.sid, "tea")
        async with client(far, **auth("ada")), client(far, **auth("bob")):
            await view.shows({"ada": [{}], "bob": [{}]})
            await eventually(lambda: len(calls) == 2)
            await far.end()
            async with client(nodes[1]) as again:
                await nodes[1].sio.presence.track(again.sid, "tea", key="ada")
                await eventually(lambda: far.id not in nodes[0].manager.nodes(), 30)
                await view.keys_are("ada")
                await eventually(lambda: len(calls) == 3)
                assert calls[2] == ("leave", "tea", "bob", {})
                assert view.gone == {"bob"}


async def test_only_node_of_a_room_is_killed(bus_url, prefix, calls, far):
    """Rooms that only the dead node had clients in are known to others, whose handlers are called."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        await eventually(lambda: all(far.id in node.manager.nodes() for node in nodes))
        rooms = [f"room-{number}" for number in range(12)]
        users = [client(far, **auth(f"in-{room}", room)) for room in rooms]
        for user in users:
            await user.__aenter__()
        await eventually(lambda: len(calls) == len(rooms))
        await far.end()
        await eventually(lambda: len(calls) == 2 * len(rooms))
        assert sorted(calls[len(rooms) :]) == sorted(("leave", room, f"in-{room}", {}) for room in rooms)
        await lists(nodes[0], rooms[0])
        held = [node.manager.present.held for node in nodes]
        await eventually(lambda: not any(room.book.keys for rooms in held for room in rooms.values()))
        for user in users:
            await user.__aexit__(None, None, None)


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_gone_before_it_answers(nodes, connect, monkeypatch):
    """Who tracks a client of a node that goes meanwhile is told that the client is not there."""
    a, b, _ = nodes
    far, asked = await connect(b), asyncio.Event()

    async def hang(*_):
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(b.manager.present.attendance, "change", hang)
    tracking = asyncio.create_task(a.sio.presence.track(far.sid, "tea"))
    await asyncio.wait_for(asked.wait(), SECONDS)
    await b.manager.close()
    with pytest.raises(ValueError, match="not connected"):
        await tracking


async def test_stopped(bus_url, prefix, calls, far):
    """Who leaves a node that stops, and comes to another one in time, has never left."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes, client(nodes[0]) as watcher:
        await eventually(lambda: all(far.id in node.manager.nodes() for node in nodes))
        await nodes[0].sio.presence.watch(watcher.sid, "tea")
        view = View(watcher, "tea")
        async with client(far, **auth("ada")), client(far, **auth("bob")):
            await view.keys_are("ada", "bob")
            await far.end(signal.SIGTERM)
            async with client(nodes[1]) as again:
                await nodes[1].sio.presence.track(again.sid, "tea", key="ada")
                await view.keys_are("ada")
                await eventually(lambda: ("leave", "tea", "bob", {}) in calls)
                assert all("ada" not in diff.get("leaves", {}) for _, diff in view.told)
                assert last_calls(calls) == {"ada": "join", "bob": "leave"}
                assert len(calls) == 3


async def test_frozen(bus_url, prefix, calls, far):
    """The users of a node that stands still leave, and are back when it goes on; nothing is called twice."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes, client(nodes[0]) as watcher:
        await eventually(lambda: all(far.id in node.manager.nodes() for node in nodes))
        await nodes[0].sio.presence.watch(watcher.sid, "tea")
        view = View(watcher, "tea")
        async with client(far, **auth("ada")) as ada:
            await view.keys_are("ada")
            await eventually(lambda: len(calls) == 1)
            far.send(signal.SIGSTOP)
            await view.keys_are()
            async with client(nodes[1]) as bob:
                await nodes[1].sio.presence.track(bob.sid, "tea", key="bob")
                await view.keys_are("bob")
                await eventually(lambda: last_calls(calls) == {"ada": "leave", "bob": "join"})
                far.send(signal.SIGCONT)
                await view.keys_are("ada", "bob")
                await View(ada, "tea").keys_are("ada", "bob")
                await eventually(lambda: last_calls(calls) == {"ada": "join", "bob": "join"})
            await view.keys_are("ada")
            await eventually(lambda: last_calls(calls)["bob"] == "leave")
            assert [call[0] for call in calls if call[2] == "ada"] == ["join", "leave", "join"]
            assert [call[0] for call in calls if call[2] == "bob"] == ["join", "leave"]


async def test_started_meanwhile(bus_url, prefix, calls):
    """Nodes that start take over their share of the rooms, and no handler is called again."""
    rooms = [f"room-{number}" for number in range(30)]
    async with three_nodes(bus_url, prefix, count=1, **QUICK) as nodes, client(nodes[0]) as ada:
        for room in rooms:
            await nodes[0].sio.presence.track(ada.sid, room, key="ada")
        await eventually(lambda: len(calls) == 30)
        late = [Node(bus_url, prefix, **QUICK) for _ in range(2)]
        try:
            for node in late:
                await node.start()
            everybody = [*nodes, *late]
            await eventually(lambda: all(len(node.manager.nodes()) == 3 for node in everybody))

            def kept():
                return sum(len(node.manager.present.held) for node in late)

            await eventually(lambda: kept() >= 30)
            for room in rooms:
                await late[0].sio.presence.track(ada.sid, room, key="ada", meta={"again": True})
            for node in everybody:
                await lists(node, rooms[0], "ada")
            await late[1].sio.presence.untrack(ada.sid)
            await eventually(lambda: len(calls) == 60)
            assert [call[0] for call in calls] == ["join"] * 30 + ["leave"] * 30
        finally:
            for node in late:
                await node.stop()


async def test_leaves_while_a_new_keeper_asks(bus_url, prefix, calls):
    """Who leaves while a new keeper still asks who is present has left: the handler is called for each."""
    rooms = [f"room-{number}" for number in range(10)]
    asks, answered = asyncio.Event(), asyncio.Event()
    async with three_nodes(bus_url, prefix, count=1, **QUICK) as nodes, client(nodes[0]) as ada:
        for room in rooms:
            await nodes[0].sio.presence.track(ada.sid, room, key="ada")
        await eventually(lambda: len(calls) == 10)
        late = Node(bus_url, prefix, **QUICK)
        present = late.manager.present
        find, heard = present.exchange.find, present.heard

        async def find_later(*question, **options):
            asks.set()
            await answered.wait()
            return await find(*question, **options)

        def heard_changes(origin, message):
            # A keeper that has died, or was only the second one, has handed over no calls.
            if not isinstance(message, PresenceCalled):
                heard(origin, message)

        present.exchange.find, present.heard = find_later, heard_changes
        await late.start()
        try:
            await asyncio.wait_for(asks.wait(), SECONDS)
            await nodes[0].sio.presence.untrack(ada.sid)
            held = nodes[0].manager.present.held
            await eventually(lambda: not any(room.own.entries for room in held.values()))
            answered.set()
            await eventually(lambda: len(calls) == 20)
            assert {call[:3] for call in calls[10:]} == {("leave", room, "ada") for room in rooms}
        finally:
            await late.stop()


async def test_started_after_a_kill(bus_url, prefix, calls, far):
    """A node that starts while a killed one is not missed yet lets its users leave when the others do."""
    timing = {"heartbeat": 0.4, "dead_after": 6.0, "presence_grace": 3.0}
    async with three_nodes(bus_url, prefix, count=2, **timing) as nodes:
        await eventually(lambda: all(far.id in node.manager.nodes() for node in nodes))
        rooms = [f"room-{number}" for number in range(12)]
        async with contextlib.AsyncExitStack() as users:
            for room in rooms:
                await users.enter_async_context(client(far, **auth(f"in-{room}", room)))
            await eventually(lambda: len(calls) == len(rooms))
            await far.end()
            silence = nodes[0].manager.node.silence
            await eventually(lambda: silence(far.id, time.monotonic()) > 3)
            late = Node(bus_url, prefix, **timing)
            await late.start()
            try:
                await eventually(lambda: far.id not in nodes[0].manager.nodes())
                missed = time.monotonic()
                await eventually(lambda: len(calls) == 2 * len(rooms))
                assert time.monotonic() - missed < 2
            finally:
                await late.stop()


async def test_split(bus_url, prefix, calls):
    """Halves that could not hear each other agree afterwards: no ghosts, nobody missing."""
    async with three_nodes(bus_url, prefix, count=4, **QUICK) as nodes:
        async with client(nodes[0]) as a, client(nodes[1]) as b, client(nodes[2]) as c, client(nodes[3]) as d:
            clients = (a, b, c, d)
            views = [View(each, "tea") for each in clients]
            for node, each, key in zip(nodes, clients, ("ada", "bob", "cyd", "dan"), strict=True):
                await node.sio.presence.track(each.sid, "tea", key=key)
            for view in views:
                await view.keys_are("ada", "bob", "cyd", "dan")
            await eventually(lambda: len(calls) == 4)
            async with split(nodes[:2], nodes[2:]):
                await views[0].keys_are("ada", "bob")
                await views[3].keys_are("cyd", "dan")
                await nodes[1].sio.presence.untrack(b.sid)
                await nodes[2].sio.presence.track(c.sid, "tea", key="eve")
                await views[0].keys_are("ada")
                await views[3].keys_are("eve", "dan")
            for view in views:
                await view.keys_are("ada", "dan", "eve")
            for node in nodes:
                await lists(node, "tea", "ada", "dan", "eve")
            there = dict.fromkeys(("ada", "dan", "eve"), "join")
            await eventually(lambda: last_calls(calls) == {**there, "bob": "leave", "cyd": "leave"})


@pytest.fixture
def own_redis(tmp_path):
    with RedisServer(tmp_path) as server:
        yield server


async def test_the_bus_is_away(own_redis, prefix, calls):
    """Meanwhile each node shows what it knows and its own clients; afterwards all show the same."""
    async with three_nodes(own_redis.url, prefix, count=3, buffer_seconds=1, **QUICK) as nodes:
        async with client(nodes[0]) as a, client(nodes[1]) as b, client(nodes[2]) as c:
            views = [View(each, "tea") for each in (a, b, c)]
            await nodes[0].sio.presence.track(a.sid, "tea", key="ada")
            await nodes[1].sio.presence.track(b.sid, "tea", key="bob")
            await nodes[2].sio.presence.watch(c.sid, "tea")
            for view in views:
                await view.keys_are("ada", "bob")
            own_redis.stop()
            await eventually(lambda: not any(node.manager.ready for node in nodes))
            await nodes[0].sio.presence.untrack(a.sid)
            await nodes[2].sio.presence.track(c.sid, "tea", key="cyd")
            await views[0].keys_are("bob")
            await views[2].keys_are("ada", "bob", "cyd")
            await eventually(lambda: nodes[0].manager.stats.dropped and nodes[2].manager.stats.dropped)
            own_redis.start()
            for view in views:
                await view.keys_are("bob", "cyd")
            await eventually(lambda: last_calls(calls) == {"ada": "leave", "bob": "join", "cyd": "join"})
            assert len(calls) == 4
