"""A threaded server in a cluster with recovery: what it emits is kept for the clients of other nodes."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node
from tests.jsclient import install, js_driver
from tests.recovery.clients import came_back, left, take
from tests.recovery.door import Door


@pytest.mark.parametrize("bus", ["local", "redis"])
async def test_emits_of_a_threaded_node(request, bus, prefix):
    """Events that a Flask node emits while a client is away are replayed, and it may change rooms."""
    install()
    url = request.getfixturevalue(f"{bus}_url")
    async with (
        mixed((ThreadedNode, Node, Node), url, prefix, recovery_seconds=30) as nodes,
        js_driver() as driver,
    ):
        flask, a, b = nodes
        async with (
            Door(a) as door,
            driver.client(door, reconnection=True) as client,
            driver.client(flask) as other,
        ):
            assert await client.connects.get() is False
            sid = client.sid
            await flask.sio.enter_room(sid, "red")
            await flask.sio.emit("n", 1, room="red")
            await take(client, "n", 1)
            door.cut()
            await left(a, sid)
            await flask.sio.emit("n", 2, room="red")
            await flask.sio.emit("n", 3, to=sid)
            await flask.sio.enter_room(sid, "blue")
            await flask.sio.emit("n", 4, room="blue")
            await flask.sio.emit("n", 5)
            door.lead(b)
            assert await came_back(client) is True
            for number in (2, 3, 4, 5):
                await take(client, "n", number)
            assert set(b.sio.rooms(sid)) == {sid, "red", "blue"}
            assert await flask.sio.call("ask", 6, to=sid) == 6
            assert await other.next("n") == [5]


@pytest.mark.parametrize("bus", ["local", "redis"])
async def test_history(request, bus, prefix):
    """A threaded node lets its own clients and those of other nodes into a room with history."""
    install()
    url = request.getfixturevalue(f"{bus}_url")
    async with (
        mixed((ThreadedNode, Node), url, prefix, recovery_seconds=30) as (flask, a),
        js_driver() as driver,
        driver.client(flask) as own,
        driver.client(a) as other,
    ):
        for number in range(4):
            await a.sio.emit("n", number, room="red")
        await a.manager.in_order()
        manager = flask.socketio.server.manager
        for client in (own, other):
            enter = partial(manager.enter_room, client.sid, "/", "red", history=2)
            await asyncio.to_thread(enter)
        await flask.sio.emit("n", 4, room="red")
        assert [await own.next("n") for _ in range(3)] == [[2], [3], [4]]
        for number in (2, 3, 4):
            await take(other, "n", number)
        with pytest.raises(ValueError, match="0 to 1000"):
            manager.enter_room(own.sid, "/", "blue", history=-1)
