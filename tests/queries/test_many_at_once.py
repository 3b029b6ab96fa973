"""What is done to many clients of all nodes with one call, on every bus."""

from __future__ import annotations

import asyncio

import pytest
import socketio

from socketio_cluster import PartialAnswer
from tests.harness import Node, eventually, fence, three_nodes
from tests.harness import client as connected


async def test_join_and_leave(nodes, connect):
    """Emits of all nodes reach those who were joined, and nobody after ``sockets_leave``."""
    a, b, c = [await connect(node) for node in nodes]
    await nodes[0].sio.enter_room(b.sid, "red")
    await nodes[0].sio.enter_room(c.sid, "red")
    await nodes[0].sio.enter_room(c.sid, "muted")
    assert await nodes[0].sio.sockets_join(["blue", 7], "red", except_="muted") == 1
    for node in nodes:
        await node.sio.emit("seven", room=7)
        assert await b.next("seven") == []
    await fence(nodes[0], a, c)
    assert await nodes[2].sio.sockets_join("blue") == 3
    await nodes[1].sio.emit("blue", room="blue")
    for one in (a, b, c):
        assert await one.next("blue") == []
    assert await nodes[1].sio.sockets_leave(["blue", 7]) == 3
    for node in nodes:
        assert await node.sio.fetch_rooms() == {"red": 2, "muted": 1}
    assert await nodes[1].sio.sockets_join("here", local=True) == 1
    assert await nodes[0].sio.rooms_of(b.sid) == {"red", "here"}


async def test_calls_at_once(nodes, connect):
    """Calls of all nodes at the same time do each what they say: nobody is missed, or counted twice."""
    for node in nodes:
        await connect(node)
    rooms = {f"{node.manager.node_id}/{number}": node for node in nodes for number in range(5)}
    joined = [node.sio.sockets_join(room) for room, node in rooms.items()]
    assert await asyncio.gather(*joined) == [3] * len(rooms)
    assert await nodes[0].sio.fetch_rooms() == dict.fromkeys(rooms, 3)
    left = [node.sio.sockets_leave(room, room) for room, node in rooms.items()]
    assert await asyncio.gather(*left) == [3] * len(rooms)
    assert await nodes[0].sio.fetch_rooms() == {}
    assert sum(await asyncio.gather(*(node.sio.disconnect_sockets() for node in nodes))) == 3
    assert await nodes[1].sio.count() == 0


async def test_join_own_room(nodes, connect):
    """Nobody is put into another client's own room."""
    for node in nodes:
        one = await connect(node)
        with pytest.raises(ValueError, match="sid room"):
            await nodes[0].sio.sockets_join(["blue", one.sid])
    assert await nodes[0].sio.fetch_rooms() == {}


async def test_join_at_the_limit(redis_url, prefix):
    """Who may enter no more rooms is left out; the error says how many, and carries the others."""
    async with three_nodes(redis_url, prefix, count=2, rooms_per_client=1) as nodes:
        async with connected(nodes[0]), connected(nodes[1]) as full:
            await nodes[1].sio.enter_room(full.sid, "red")
            with pytest.raises(PartialAnswer, match="1 joins were refused") as caught:
                await nodes[0].sio.sockets_join("blue")
            assert caught.value.answer == 1
            assert await nodes[0].sio.fetch_rooms() == {"red": 1, "blue": 1}


async def test_disconnect(nodes, connect):
    """``disconnect_sockets`` returns when the handlers of those who were meant have run, on all nodes."""
    a, b, c = [await connect(node) for node in nodes]
    for one in (a, b):
        await nodes[2].sio.enter_room(one.sid, "red")
    sids = [a.sid, b.sid]
    assert await nodes[2].sio.disconnect_sockets("red") == 2
    for node, sid in zip(nodes, sids, strict=False):
        assert ("disconnect", sid, "server disconnect") in node.log
    await a.gone.wait()
    await b.gone.wait()
    await fence(nodes[0], c)
    assert await nodes[0].sio.disconnect_sockets() == 1
    await eventually(lambda: all(node.empty for node in nodes))


async def test_handler_that_raises(redis_url, prefix, monkeypatch):
    """With python-socketio's server a disconnect handler's error is told; everybody is disconnected."""

    def fails(sid, reason):
        raise OSError("the database is away")

    monkeypatch.setattr(Node, "server_class", socketio.AsyncServer)
    async with three_nodes(redis_url, prefix, count=2) as nodes:
        nodes[1].sio.on("disconnect", fails)
        async with connected(nodes[0]) as one, connected(nodes[1]) as two:
            with pytest.raises(PartialAnswer, match="the database is away") as caught:
                await nodes[0].manager.disconnect_sockets()
            assert caught.value.answer == 1
            await one.gone.wait()
            await two.gone.wait()
            assert await nodes[0].manager.count() == 0
