"""What is done to a client while it is away, or after it has come back to another node, holds."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import AsyncEmitter
from tests.harness import SECONDS
from tests.recovery.clients import came_back, fence, left, take


async def gone(door, node, client):
    """Cut a client off, and return when its node has noticed."""
    door.cut()
    await left(node, client.sid)


async def test_rooms_and_data_of_an_absent_client(nodes, door, connect):
    """Joins, leaves, closed rooms and saved data are those of the client that comes back."""
    a, b, c = nodes
    client = await connect()
    sid = client.sid
    for room in ("kept", "left", "closed"):
        await a.sio.enter_room(sid, room)
    await a.sio.save_session(sid, {"n": 1})
    await gone(door, a, client)
    await b.sio.enter_room(sid, "entered")
    await c.sio.leave_room(sid, "left")
    await b.sio.close_room("closed")
    await c.sio.save_session(sid, {"n": 2})
    for room in ("entered", "left", "closed", "kept"):
        await b.sio.emit("news", room, room=room)
    door.lead(c)
    assert await came_back(client) is True
    for room in ("entered", "kept"):
        await take(client, "news", room)
    await fence(b, client)
    assert set(c.sio.rooms(sid)) == {sid, "kept", "entered"}
    assert await c.sio.get_session(sid) == {"n": 2}


async def test_disconnected_while_away(nodes, door, connect):
    """A client that was disconnected while it was away comes back as a new one."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await gone(door, a, client)
    await b.sio.disconnect(sid)
    await b.sio.emit("missed", to=sid)
    door.lead(b)
    assert await came_back(client) is False
    assert client.sid != sid
    await fence(b, client)


async def test_a_client_that_has_moved(nodes, door, connect):
    """Requests and calls of any node find a client that has come back elsewhere, by the sid it always had."""
    a, b, c = nodes
    client = await connect()
    sid = client.sid
    await gone(door, a, client)
    door.lead(b)
    assert await came_back(client) is True
    for number, node in enumerate(nodes):
        await node.sio.enter_room(sid, f"room {number}")
        assert await node.sio.call("question", number, to=sid, timeout=SECONDS) == number
        assert await client.next("question") == [number]
    assert set(b.sio.rooms(sid)) == {sid, "room 0", "room 1", "room 2"}
    await c.sio.leave_room(sid, "room 0")
    await a.sio.leave_room(sid, "room 1")
    assert set(b.sio.rooms(sid)) == {sid, "room 2"}
    await c.sio.disconnect(sid)
    await asyncio.wait_for(client.gone.wait(), SECONDS)
    assert b.manager.members.find(sid, "/") is None


async def test_a_call_waits_for_an_absent_client(nodes, door, connect):
    """A call to a client that is away is answered when it is back, if that is soon enough."""
    a, b, c = nodes
    client = await connect()
    sid = client.sid
    await gone(door, a, client)
    call = asyncio.create_task(c.sio.call("question", 1, to=sid, timeout=SECONDS))
    await asyncio.sleep(0.1)
    assert not call.done()
    door.lead(b)
    assert await came_back(client) is True
    assert await call == 1


async def test_a_call_to_an_absent_client_ends(nodes, door, connect):
    """A call to a client that stays away ends at its timeout."""
    a, _, c = nodes
    client = await connect()
    await gone(door, a, client)
    from socketio.exceptions import TimeoutError as CallTimeout

    with pytest.raises(CallTimeout):
        await c.sio.call("question", 1, to=client.sid, timeout=0.5)
    door.lead(a)
    assert await came_back(client) is True
    await fence(a, client)


async def test_an_emitter(nodes, door, connect, bus_url, prefix):
    """What a process without clients emits meanwhile is kept too; it needs no setting for that."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    async with AsyncEmitter(bus_url, prefix=prefix) as emitter:
        await emitter.emit("live", 0, room="red")
        await take(client, "live", 0)
        await gone(door, a, client)
        await emitter.emit("missed", 1, room="red")
        await emitter.to("red").except_("blue").emit("missed", 2)
        await emitter.emit("missed", 3, to=sid)
        await emitter.enter_room(sid, "blue")
        await emitter.emit("missed", 4, room="blue")
        door.lead(b)
        assert await came_back(client) is True
        for number in (1, 2, 3, 4):
            await take(client, "missed", number)
        await emitter.leave_room(sid, "blue")
        assert set(b.sio.rooms(sid)) == {sid, "red"}
        await fence(b, client)
