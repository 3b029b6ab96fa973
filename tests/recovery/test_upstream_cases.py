"""What the official library's own tests ask of recovery, asked with its client."""

from __future__ import annotations

import asyncio

import pytest

import socketio_cluster
from tests.harness import SECONDS, Node
from tests.recovery.clients import came_back, fence, left, take


@pytest.fixture(params=["local"])
def bus_url(request):
    """One bus: what is asked here does not depend on it."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=[["websocket"], ["polling"], ["polling", "websocket"]])
def transports(request):
    return request.param


@pytest.fixture
def with_middlewares(monkeypatch):
    """Gives the nodes servers that know middlewares."""
    monkeypatch.setattr(Node, "server_class", socketio_cluster.AsyncServer)


async def test_the_engine_is_closed(nodes, connect, transports):
    """A client whose engine was closed has the id that the server knows, and says that it was recovered."""
    client = await connect(transports=transports)
    await client.emit("hi")
    sid = client.sid
    client.drop()
    assert await came_back(client) is True
    assert client.sid == sid
    assert nodes[0].manager.recovered(sid)


async def test_missed_packets(nodes, door, connect, transports):
    """It gets a broadcast, one to its room and one to itself, in this order."""
    a, b, _ = nodes
    client = await connect(transports=transports)
    await a.sio.enter_room(client.sid, "room1")
    await a.sio.emit("hello")
    await take(client, "hello")
    door.cut()
    await a.sio.emit("hello1")
    await a.sio.emit("hello2", room="room1")
    await a.sio.emit("hello3", to=client.sid)
    door.lead(b)
    assert await came_back(client) is True
    for event in ("hello1", "hello2", "hello3"):
        await take(client, event)
    await fence(a, client)


async def test_rooms_and_data(nodes, door, connect, transports):
    """When its connect handler runs, its rooms and its session are there, though it never had an event."""
    a, b, _ = nodes
    seen = []

    async def connected(sid, environ, auth):
        restored = set(b.sio.rooms(sid)), await b.sio.get_session(sid)
        seen.append((environ["socketio.recovered"], *restored))

    b.sio.on("connect", connected)
    client = await connect(transports=transports)
    sid = client.sid
    for room in ("room1", "room2"):
        await a.sio.enter_room(sid, room)
    await a.sio.save_session(sid, {"foo": "bar"})
    door.cut(b)
    assert await came_back(client) is True
    assert client.sid == sid
    assert seen == [(True, {sid, "room1", "room2"}, {"foo": "bar"})]
    await fence(a, client)


async def test_a_wrong_offset(nodes, door, driver):
    """With an offset that nobody gave it, it is a new client that stands in no room and gets nothing."""
    a, b, _ = nodes
    for offset in (123, "bar", ["x"], {"x": 1}, True):
        async with driver.client(door) as client:
            sid = client.sid
            await a.sio.enter_room(sid, "room1")
            pid = a.manager.members.clients[sid].session.pid
            door.cut(a)
            await left(a, sid)
            await a.sio.emit("missed", room="room1")
        async with driver.client(b, auth={"pid": pid, "offset": offset}) as other:
            assert await other.connects.get() is False
            assert other.sid != sid
            assert set(b.sio.rooms(other.sid)) == {other.sid}
            await fence(a, other)
    assert b.manager.stats.recoveries == {"offset": 5}


async def test_an_unknown_session(nodes, driver):
    """With an id that nobody gave it, it is a new client."""
    for pid in ("foo", "", 5, ["x"]):
        async with driver.client(nodes[0], auth={"pid": pid, "offset": "bar"}) as client:
            assert await client.connects.get() is False
            assert client.sid != pid
            await fence(nodes[1], client)
    assert nodes[0].manager.stats.recoveries == {"unknown": 4}


@pytest.mark.parametrize("unless_recovered", [False, True])
async def test_middlewares(with_middlewares, nodes, door, connect, transports, unless_recovered):
    """They run again when a client comes back, unless they are told to let it pass."""
    ran = []
    for node in nodes:

        @node.sio.middleware
        async def check(sid, event, args):
            if event == "connect" and not (unless_recovered and args[0]["socketio.recovered"]):
                ran.append(sid)

    client = await connect(transports=transports)
    door.cut(nodes[1])
    assert await came_back(client) is True
    assert ran == [client.sid] * (1 if unless_recovered else 2)
    await fence(nodes[0], client)


async def test_a_middleware_refuses(with_middlewares, nodes, door, connect):
    """One that refuses a client that comes back keeps from it what it has missed, until it is let in."""
    a, b, _ = nodes
    asked = asyncio.Event()

    @b.sio.middleware
    async def refuse(sid, event, args):
        if event == "connect":
            asked.set()
            raise socketio_cluster.Refused("not here")

    client = await connect()
    sid = client.sid
    door.cut(b)
    await left(a, sid)
    await a.sio.emit("missed", to=sid)
    await asyncio.wait_for(asked.wait(), SECONDS)
    await left(b, sid)
    assert client.events.empty()
    door.cut(a)
    client.reconnect()
    assert await came_back(client) is True
    assert client.sid == sid
    await take(client, "missed")
    await fence(a, client)


@pytest.mark.parametrize("recovery_seconds", [None])
async def test_disabled_by_default(nodes, door, connect, recovery_seconds):
    """Where it was not asked for, a client gets events as they are, and is new each time."""
    client = await connect()
    sid = client.sid
    await nodes[1].sio.emit("n", "text")
    assert await client.next("n") == ["text"]
    door.cut(nodes[1])
    assert not await came_back(client)
    assert client.sid != sid
