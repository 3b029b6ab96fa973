"""Two namespaces of an official JavaScript client on one connection: each recovers by itself."""

from __future__ import annotations

import pytest

from tests.recovery.clients import came_back, left, take


@pytest.fixture
async def pair(door, connect, driver):
    """A client in the default namespace, and one in ``/chat`` on the same connection."""
    one = await connect()
    async with driver.client(door, namespace="/chat", beside=one) as other:
        assert await other.connects.get() is False
        yield one, other


async def test_both_come_back(nodes, door, pair):
    """Each has its own sid, rooms and session again, and gets what was for its namespace."""
    a, b, _ = nodes
    one, other = pair
    sids = one.sid, other.sid
    await a.sio.enter_room(one.sid, "red")
    await a.sio.enter_room(other.sid, "blue", namespace="/chat")
    await a.sio.save_session(other.sid, {"name": "Ann"}, namespace="/chat")
    await b.sio.emit("n", 1)
    await take(one, "n", 1)
    assert sum(len(node.sio.eio.sockets) for node in nodes) == 1
    door.cut()
    await left(a, one.sid)
    await b.sio.emit("n", 2, room="red")
    await b.sio.emit("n", 3, room="blue", namespace="/chat")
    await b.sio.emit("n", 4, namespace="/chat")
    await b.sio.emit("no", 5, room="red", namespace="/chat")
    await b.sio.emit("no", 6, room="blue")
    door.lead(b)
    assert [await came_back(one), await came_back(other)] == [True, True]
    assert (one.sid, other.sid) == sids
    await take(one, "n", 2)
    await take(other, "n", 3)
    await take(other, "n", 4)
    assert await b.sio.get_session(other.sid, namespace="/chat") == {"name": "Ann"}
    await a.sio.emit("fence", room="red")
    await a.sio.emit("fence", room="blue", namespace="/chat")
    for client in pair:
        await take(client, "fence")
        assert client.events.empty()


async def test_one_of_them_has_ended(nodes, door, pair):
    """The one that was disconnected while it was away is new, and the other one has missed nothing."""
    a, b, c = nodes
    one, other = pair
    sids = one.sid, other.sid
    door.cut()
    await left(a, one.sid)
    await c.sio.disconnect(one.sid)
    await b.sio.emit("n", 1)
    await b.sio.emit("n", 2, namespace="/chat")
    door.lead(b)
    assert [await came_back(one), await came_back(other)] == [False, True]
    assert one.sid != sids[0]
    assert other.sid == sids[1]
    await take(other, "n", 2)
    await c.sio.emit("fence")
    await c.sio.emit("fence", namespace="/chat")
    for client in pair:
        await take(client, "fence")
        assert client.events.empty()
