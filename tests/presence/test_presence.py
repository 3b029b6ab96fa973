"""Who is in which room, as clients, handlers and questions see it, on three nodes and every bus."""

from __future__ import annotations

from functools import partial

import pytest

from socketio_cluster import TooManyRooms
from socketio_cluster.manager.presence.calls import Call
from tests.harness import client, eventually, fence, three_nodes
from tests.presence.view import View, lists

ADA, BOB = {"name": "Ada"}, {"name": "Bob"}


async def test_state_and_diff(nodes, connect, calls):
    """A client gets the state first and then the changes, and all nodes list the same people."""
    a, b, watcher = [await connect(node) for node in nodes]
    await nodes[0].sio.presence.track(a.sid, "tea", key="ada", meta=ADA)
    seen_by_a = View(a, "tea")
    await seen_by_a.shows({"ada": [ADA]})
    await nodes[1].sio.presence.track(b.sid, "tea", key="bob", meta=BOB)
    seen_by_b = View(b, "tea")
    await seen_by_b.shows({"ada": [ADA], "bob": [BOB]})
    await seen_by_a.shows({"ada": [ADA], "bob": [BOB]})
    await nodes[2].sio.presence.watch(watcher.sid, "tea")
    seen = View(watcher, "tea")
    await seen.shows({"ada": [ADA], "bob": [BOB]})
    for node in nodes:
        assert await node.sio.presence.list("tea") == {"ada": [ADA], "bob": [BOB]}
        assert await node.sio.presence.count("tea") == 2
    await nodes[0].sio.presence.update(a.sid, "tea", {"name": "Ada", "busy": True})
    await seen.shows({"ada": [{"name": "Ada", "busy": True}], "bob": [BOB]})
    await nodes[1].sio.presence.untrack(b.sid, "tea")
    await nodes[0].sio.leave_room(a.sid, "tea")
    for view in (seen, seen_by_b):
        await view.shows({})
    assert [event for event, _ in seen_by_b.told].count("presence_state") == 1
    await eventually(lambda: len(calls) == 4)
    assert sorted(calls) == [
        ("join", "tea", "ada", ADA),
        ("join", "tea", "bob", BOB),
        ("leave", "tea", "ada", {"name": "Ada", "busy": True}),
        ("leave", "tea", "bob", BOB),
    ]
    await eventually(lambda: all(len(node.manager.present.held) <= 1 for node in nodes))


async def test_tabs(nodes, connect, calls):
    """Several clients of one user on several nodes are one key with several metas."""
    tabs = [await connect(node) for node in nodes]
    view = View(tabs[0], "tea")
    for number, (node, tab) in enumerate(zip(nodes, tabs, strict=True)):
        await node.sio.presence.track(tab.sid, "tea", key=7, meta={"tab": number})
    await view.shows({"7": [{"tab": 0}, {"tab": 1}, {"tab": 2}]})
    assert await nodes[1].sio.presence.count("tea") == 1
    await nodes[1].sio.presence.untrack(tabs[1].sid)
    await view.shows({"7": [{"tab": 0}, {"tab": 2}]})
    await nodes[2].sio.presence.untrack(tabs[2].sid)
    await nodes[0].sio.presence.untrack(tabs[0].sid)
    await view.shows({})
    await eventually(lambda: len(calls) == 2)
    assert [call[:3] for call in calls] == [("join", "tea", "7"), ("leave", "tea", "7")]


async def test_client_of_another_node(nodes, connect):
    """Any node tracks, updates and untracks a client of any other, and is told what is wrong."""
    a = await connect(nodes[0])
    view = View(a, "tea")
    await nodes[1].sio.presence.track(a.sid, "tea")
    await view.shows({a.sid: [{}]})
    await nodes[2].sio.presence.update(a.sid, "tea", ADA)
    await view.shows({a.sid: [ADA]})
    with pytest.raises(ValueError, match="is not present in room 'cake': track it first"):
        await nodes[2].sio.presence.update(a.sid, "cake", ADA)
    await nodes[1].sio.presence.untrack(a.sid)
    await view.shows({})


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_too_many_rooms(bus_url, prefix):
    """A client at its limit of rooms is refused with the same error, whichever node is asked."""
    async with three_nodes(bus_url, prefix, count=2, rooms_per_client=1) as (a, b), client(b) as far:
        await a.sio.presence.track(far.sid, "tea")
        for call in (a.sio.presence.track, b.sio.presence.track, a.sio.presence.watch):
            with pytest.raises(TooManyRooms, match="is in 1 rooms"):
                await call(far.sid, "cake")


async def test_reconnect_is_no_change(bus_url, prefix, calls):
    """Nobody hears of a client that is back in time, on another node."""
    async with three_nodes(bus_url, prefix, presence_grace=600.0) as nodes, client(nodes[0]) as watcher:
        view = View(watcher, "tea")
        await nodes[0].sio.presence.watch(watcher.sid, "tea")
        async with client(nodes[1]) as ada:
            await nodes[1].sio.presence.track(ada.sid, "tea", key="ada", meta=ADA)
            await view.shows({"ada": [ADA]})
            entry = partial(nodes[0].manager.present.held["/", "tea"].book.find, ada.sid)
        await eventually(lambda: entry().lost)  # before the watcher's node knows that she would be here twice
        async with client(nodes[2]) as again:
            await nodes[2].sio.presence.track(again.sid, "tea", key="ada", meta=ADA)
            await View(again, "tea").shows({"ada": [ADA]})
            told = len(view.told)
            await eventually(
                lambda: (
                    not nodes[1].manager.present.held.get(("/", "tea"))
                    or not nodes[1].manager.present.held["/", "tea"].own.entries
                )
            )
            await fence(nodes[0], watcher)
            assert len(view.told) == told
            await nodes[2].sio.presence.untrack(again.sid)
        await view.shows({})
        await eventually(lambda: len(calls) == 2)
        assert calls == [("join", "tea", "ada", ADA), ("leave", "tea", "ada", ADA)]


async def test_who_does_not_come_back_has_left(bus_url, prefix, calls):
    """A client whose connection ends is present for the grace time, and then it has left."""
    async with three_nodes(bus_url, prefix, presence_grace=0.5) as nodes, client(nodes[0]) as watcher:
        view = View(watcher, "tea")
        await nodes[0].sio.presence.watch(watcher.sid, "tea")
        async with client(nodes[1]) as ada:
            await nodes[1].sio.presence.track(ada.sid, "tea", key="ada", meta=ADA)
            await view.shows({"ada": [ADA]})
        await view.shows({})
        await eventually(lambda: len(calls) == 2)
        assert calls == [("join", "tea", "ada", ADA), ("leave", "tea", "ada", ADA)]


async def test_need(redis_url, prefix):
    """A change goes to nodes with clients in the room and to its two keepers, and to no other node."""
    async with three_nodes(redis_url, prefix, count=8) as nodes:
        async with client(nodes[0]) as ada, client(nodes[1]) as bob:
            await nodes[1].sio.presence.watch(bob.sid, "tea")
            await nodes[0].sio.presence.track(ada.sid, "tea", key="ada")
            await View(bob, "tea").keys_are("ada")
            keepers = nodes[0].manager.present.keepers.ring.keepers("/", "tea")
            for node in nodes[2:]:
                if node.manager.node_id in keepers:
                    await lists(node, "tea", "ada")
                else:
                    assert not node.manager.stats.received["PresenceChange"]
                    assert not node.manager.present.held
                    assert await node.sio.presence.count("tea") == 1


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"room": None}, TypeError),
        ({"room": 1.5}, TypeError),
        ({"key": 1.5}, TypeError),
        ({"key": ""}, ValueError),
        ({"meta": ["x"]}, TypeError),
        ({"meta": {"x": b"x"}}, TypeError),
        ({"namespace": "/other"}, ValueError),
        ({"sid": "nobody"}, ValueError),
    ],
)
async def test_bad_input(redis_url, prefix, bad, error):
    """What cannot be is an error for the one who asked, and nobody is present."""
    async with (
        three_nodes(redis_url, prefix, count=2) as nodes,
        client(nodes[0]) as ada,
        client(nodes[1]) as eve,
    ):
        for node in nodes:
            with pytest.raises(error):
                await node.sio.presence.track(**{"sid": ada.sid, "room": "tea", **bad})
            assert await node.sio.presence.list("tea") == {}
            with pytest.raises(ValueError, match="sid room"):
                await node.sio.presence.track(ada.sid, eve.sid)
        with pytest.raises(TypeError, match="must be a function"):
            nodes[0].sio.presence.on_join("joined")


async def test_handler_that_raises(redis_url, prefix, calls, caplog):
    """An error of a handler is logged, and the other handlers run."""

    async def fails(room, key, meta):
        raise OSError("the database is away")

    async with three_nodes(redis_url, prefix, count=1) as nodes, client(nodes[0]) as ada:
        nodes[0].sio.presence.handlers.of(Call.JOIN, "/").insert(0, fails)
        await nodes[0].sio.presence.track(ada.sid, "tea", key="ada")
        await eventually(lambda: calls == [("join", "tea", "ada", {})])
        assert "a presence handler of room 'tea' failed" in caplog.text


async def test_namespaces(nodes, connect):
    """A room of another namespace has its own presence and its own handlers."""
    heard = []
    for node in nodes:
        node.sio.presence.on_join(lambda *call: heard.append(call), namespace="/chat")
    one, two = await connect(nodes[0]), await connect(nodes[1], namespace="/chat")
    await nodes[0].sio.presence.track(one.sid, "tea", key="ada")
    await nodes[0].sio.presence.track(two.sid, "tea", key="bob", namespace="/chat")
    await View(two, "tea").shows({"bob": [{}]})
    await View(one, "tea").shows({"ada": [{}]})
    await lists(nodes[2], "tea", "bob", namespace="/chat")
    assert await nodes[2].sio.presence.list("nobody") == {}
    await eventually(lambda: heard == [("tea", "bob", {})])
