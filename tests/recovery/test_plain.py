"""Plain WebSocket clients go on where they were, with their token and the last id."""

from __future__ import annotations

import contextlib

import pytest

from socketio_cluster import PlainWebSockets
from tests.harness import three_nodes
from tests.recovery.clients import renew
from tests.recovery.plain_clients import PlainClient


def open_endpoint(node):
    node.app = PlainWebSockets(node.sio, node.app)


@pytest.fixture
async def nodes(bus_url, prefix, recovery_seconds):
    """Nodes with plain clients at /ws."""
    async with three_nodes(
        bus_url, prefix, configure=open_endpoint, recovery_seconds=recovery_seconds
    ) as three:
        yield three


@pytest.fixture
async def connect(door):
    """Awaited, it gives a connected client behind the door."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(door=door):
            client = PlainClient(door)
            assert await client.open() is False
            stack.push_async_callback(lambda: client.close())
            return client

        yield make


async def test_comes_back_to_another_node(nodes, door, connect):
    """It has its sid, its rooms and its session again, and gets what it missed, in order, before the rest."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    await a.sio.save_session(sid, {"name": "Ann"})
    await b.sio.emit("first", "text")
    await client.take(("first", "text"))
    door.cut()
    await client.cut()
    await b.sio.emit("all", {"n": 2})
    await b.sio.emit("room", "text", room="red")
    await b.sio.emit("other", 4, room="blue")
    await b.sio.emit("mine", to=sid)
    await b.sio.emit("skipped", 6, skip_sid=sid)
    await b.sio.emit("bytes", b"\0\1")
    door.lead(b)
    assert await client.open() is True
    assert client.sid == sid
    await client.take(("all", {"n": 2}), ("room", "text"), ("mine",), ("bytes", b"\0\1"))
    assert b.manager.recovered(sid)
    assert set(b.sio.rooms(sid)) == {sid, "red"}
    assert await b.sio.get_session(sid) == {"name": "Ann"}
    for node in nodes:
        await node.sio.emit("again", 8, room="red")
        await client.take(("again", 8))
    await client.fence(a)
    assert client.ids == sorted(client.ids)


async def test_what_did_not_arrive_comes_again(nodes, door, connect):
    """What was replayed into a connection that was lost is replayed again, renewed or not."""
    a, b, _ = nodes
    client = await connect()
    door.cut()
    await client.cut()
    for number in range(3):
        await a.sio.emit("missed", number)
    before, door.node = client.id, b
    for _ in range(3):
        assert await client.open(id=before) is True
        await client.take(*(("missed", number) for number in range(3)))
        await renew(b)
        door.cut(b)
        await client.cut()
    assert await client.open() is True
    await client.fence(a)
