"""What was emitted to a room before a client was taken out of it reaches the client, and nothing later."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import AsyncEmitter
from tests.harness import eventually
from tests.recovery.clients import came_back, fence, left, renew, take

local = pytest.mark.parametrize("bus_url", ["local"], indirect=True)


async def leave_room(node, sid):
    await node.sio.leave_room(sid, "red")


async def close_room(node, sid):
    await node.sio.close_room("red")


async def sockets_leave(node, sid):
    assert await node.manager.sockets_leave("red", room="red") == 1


@pytest.fixture
async def client(nodes, connect):
    """A client of the first node that is in the room ``red``."""
    one = await connect()
    await nodes[0].sio.enter_room(one.sid, "red")
    return one


async def comes_back(client, door, node, *numbers):
    """Check that the client comes back to a node, gets these events, and is in no room."""
    sid = client.sid
    door.lead(node)
    assert await came_back(client) is True
    for number in numbers:
        await take(client, "n", number)
    await node.sio.emit("n", "later", room="red")
    await fence(node, client)
    assert node.sio.rooms(sid) == [sid]


@pytest.mark.parametrize("out", [leave_room, close_room])
async def test_away(nodes, door, client, out):
    """A client that is away when it is taken out gets what came before, and that alone."""
    a, b, c = nodes
    door.cut()
    await left(a, client.sid)
    await b.sio.emit("n", 1, room="red")
    await out(b, client.sid)
    await b.sio.emit("n", 2, room="red")
    await comes_back(client, door, c, 1)


@pytest.mark.parametrize("out", [leave_room, close_room, sockets_leave])
async def test_half_open(nodes, door, client, out):
    """The same holds when its node still believes it to be connected."""
    a, b, c = nodes
    door.forsake(None)
    await b.sio.emit("n", 1, room="red")
    await out(b, client.sid)
    await b.sio.emit("n", 2, room="red")
    assert a.manager.members.find(client.sid, "/") is not None
    await comes_back(client, door, c, 1)


@local
@pytest.mark.parametrize("out", [leave_room, close_room])
async def test_in_and_out(nodes, door, client, out):
    """A client that is taken out and let in again gets what came while it was in, each once."""
    a, b, _ = nodes
    sid = client.sid
    door.forsake(None)
    for number in range(4):
        await a.sio.emit("n", number, room="red")
        if number % 2:
            await b.sio.enter_room(sid, "red")
        else:
            await out(b, sid)
    door.cut()
    await left(a, sid)
    for number in range(4, 9):
        await a.sio.emit("n", number, room="red")
        if number % 2:
            await b.sio.enter_room(sid, "red")
        else:
            await out(b, sid)
    await comes_back(client, door, b, 0, 2, 4, 6, 8)


async def test_an_emitter(nodes, door, client, bus_url, prefix):
    """What an emitter does takes place in its order."""
    a, b, _ = nodes
    door.cut()
    await left(a, client.sid)
    async with AsyncEmitter(bus_url, prefix=prefix) as emitter:
        await emitter.emit("n", 1, room="red")
        await emitter.leave_room(client.sid, "red")
        await emitter.emit("n", 2, room="red")
        await comes_back(client, door, b, 1)


@local
async def test_left_as_it_comes_back(nodes, door, client):
    """A connect handler that takes a client out takes nothing from it that its node has not heard of."""
    a, b, _ = nodes

    async def connected(sid, environ, auth):
        await b.sio.leave_room(sid, "red")

    b.sio.on("connect", connected)
    door.cut()
    await left(a, client.sid)
    await a.sio.emit("n", 1, room="red")
    await a.sio.emit("n", 2, room="red")
    await comes_back(client, door, b, 1, 2)


@local
async def test_entered_as_it_comes_back(nodes, door, client):
    """A connect handler that lets a client into another room gives it nothing of what came before that."""
    a, b, _ = nodes

    async def connected(sid, environ, auth):
        await b.sio.enter_room(sid, "blue")
        await b.sio.leave_room(sid, "red")

    b.sio.on("connect", connected)
    door.cut()
    await left(a, client.sid)
    await a.sio.emit("n", 1, room="blue")
    await a.sio.emit("n", 2, room=["red", "blue"])
    door.lead(b)
    assert await came_back(client) is True
    await take(client, "n", 2)
    await fence(b, client)


@local
async def test_entered_while_events_are_read(nodes, door, client, monkeypatch):
    """A client that enters a room while its missed events are read gets what comes there from then on."""
    a, b, _ = nodes
    sid = client.sid
    door.cut()
    await left(a, sid)
    await a.sio.emit("n", 1, room="red")
    keeper = b.manager.recovery.keeper
    read = keeper.read

    async def reading(question):
        monkeypatch.undo()
        await a.sio.enter_room(sid, "blue")
        held = b.manager.members.clients[sid].held.events
        await a.sio.emit("n", 2, room="blue")
        await eventually(lambda: held)
        return await read(question)

    monkeypatch.setattr(keeper, "read", reading)
    door.lead(b)
    assert await came_back(client) is True
    await take(client, "n", 1)
    await take(client, "n", 2)
    await fence(b, client)


@local
async def test_a_room_with_history(nodes, door, client):
    """A room that a client has left and enters with its history gives it each event once."""
    a, b, _ = nodes

    async def connected(sid, environ, auth):
        await b.manager.enter_room(sid, "/", "red", history=50)

    b.sio.on("connect", connected)
    await a.sio.emit("n", 0, room="red")
    await take(client, "n", 0)
    door.cut()
    await left(a, client.sid)
    await a.sio.emit("n", 1, room="red")
    await a.sio.leave_room(client.sid, "red")
    await a.sio.emit("n", 2, room="red")
    door.lead(b)
    assert await came_back(client) is True
    for number in range(3):
        await take(client, "n", number)
    await fence(b, client)


@local
async def test_lost_while_it_enters(nodes, door, connect, monkeypatch):
    """A client that is cut off while the bus is told of its rooms keeps them."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    keeper = a.manager.recovery.keeper
    change, go_on = keeper.change, asyncio.Event()

    async def slow(question):
        await go_on.wait()
        return await change(question)

    monkeypatch.setattr(keeper, "change", slow)
    joins = [asyncio.create_task(a.sio.enter_room(sid, room)) for room in ("red", "blue")]
    await eventually(lambda: len(a.sio.rooms(sid)) == 3)
    door.cut()
    await left(a, sid)
    go_on.set()
    await asyncio.gather(*joins)
    door.lead(b)
    assert await came_back(client) is True
    assert set(b.sio.rooms(sid)) == {sid, "red", "blue"}


@local
async def test_what_is_kept(nodes, client):
    """A connected client that leaves rooms costs nothing when it has come past that."""
    a, _, _ = nodes
    sid = client.sid
    session = a.manager.members.clients[sid].session
    for number in range(20):
        await a.sio.emit("n", number, room="red")
        await take(client, "n", number)
        await a.sio.leave_room(sid, "red")
        await a.sio.enter_room(sid, "red")
    assert len(session.stays.ended) == 20
    session.written_at -= a.manager.recovery.times.unnoticed
    await renew(a)
    assert session.stays.ended == ()


@local
async def test_too_many_rooms(nodes, door, client):
    """A client that was taken out of more rooms than are remembered is told that it has missed something."""
    a, b, _ = nodes
    sid = client.sid
    door.forsake(None)
    for number in range(102):
        await a.sio.emit("n", number, room="red")
        await a.sio.leave_room(sid, "red")
        await a.sio.enter_room(sid, "red")
    door.lead(b)
    assert await came_back(client) is False
    assert client.sid != sid
    assert b.manager.stats.recoveries["late"] == 1


@local
async def test_lost_while_it_is_taken_out(nodes, door, client, monkeypatch):
    """A client that is lost while its node does what ``sockets_leave`` asks for is out of the room."""
    a, b, c = nodes
    may_leave = a.manager.may_leave

    async def lost(clients):
        door.cut()
        await left(a, client.sid)
        await may_leave(clients)

    monkeypatch.setattr(a.manager, "may_leave", lost)
    await b.sio.emit("n", 1, room="red")
    await take(client, "n", 1)
    await sockets_leave(b, client.sid)
    await b.sio.emit("n", 2, room="red")
    monkeypatch.setattr(a.manager, "may_leave", may_leave)
    await comes_back(client, door, c)
