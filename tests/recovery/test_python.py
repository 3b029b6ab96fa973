"""The cluster's own Python clients come back as the official JavaScript client does."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.harness import SECONDS, three_nodes
from tests.recovery.clients import left, renew
from tests.recovery.door import Door
from tests.recovery.python_clients import own_client


@pytest.fixture(params=["AsyncClient", "Client"])
def kind(request):
    return request.param


@pytest.fixture
async def connect(kind, door, serializer):
    """Awaited, it gives a client that comes through the door, and comes back by itself."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**options):
            options = {"serializer": serializer} | options
            return await stack.enter_async_context(own_client(kind, door, **options))

        yield make


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
async def test_comes_back_to_another_node(nodes, door, connect, transports):
    """It has its sid, its rooms and its session again, and gets what it missed; no handler sees an offset."""
    a, b, _ = nodes
    client = await connect(transports=transports)
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    await a.sio.save_session(sid, {"name": "Ann"})
    await b.sio.emit("first", "text")
    await client.take(("first", "text"))
    door.cut()
    await b.sio.emit("all", {"n": 2})
    await b.sio.emit("room", "text", room="red")
    await b.sio.emit("other", 4, room="blue")
    await b.sio.emit("mine", to=sid)
    await b.sio.emit("skipped", 6, skip_sid=sid)
    door.lead(b)
    assert await client.came_back() is True
    assert client.sio.recovered
    assert client.sid == sid
    await client.take(("all", {"n": 2}), ("room", "text"), ("mine",))
    assert await b.sio.get_session(sid) == {"name": "Ann"}
    for node in nodes:
        await node.sio.emit("again", 8, room="red")
        await client.take(("again", 8))
    await client.fence(a)


async def test_again_and_again(nodes, door, connect):
    """It may be cut off ten times in a row, from before its first event on, with an event in between."""
    client = await connect()
    sid = client.sid
    for n in range(10):
        door.cut()
        await nodes[2].sio.emit("missed", n, to=sid)
        door.lead(nodes[n % 3])
        assert await client.came_back() is True
        assert client.sid == sid
        await client.take(("missed", n))
    await client.fence(nodes[0])


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_events_of_all_kinds(nodes, door, connect, serializer):
    """JSON, bytes and text come live and later as they were; acks and volatile events do no harm."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    values = [(b"\0\1",), ({"a": [1, None, "ü"], "b": b"x"},), ("text",), (b"one", "two", b"three"), ()]
    for value in values:
        await a.sio.emit("live", value or None)
    await client.take(*(("live", *value) for value in values))
    assert await b.sio.call("asked", "text", to=sid, timeout=SECONDS) == "text"
    assert await client.call("asks", "text") == "text"
    await client.take(("asked", "text"))
    await a.manager.volatile.emit("volatile", "text")
    await client.take(("volatile", "text"))
    door.cut()
    await left(a, sid)
    await b.manager.volatile.emit("volatile", "lost")
    for value in values:
        await b.sio.emit("missed", value or None)
    door.lead(b)
    assert await client.came_back() is True
    await client.take(*(("missed", *value) for value in values))
    await client.fence(a)


async def test_namespaces(nodes, door, connect):
    """Each namespace has a session and an offset of its own, and says itself whether it was recovered."""
    a, b, _ = nodes
    client = await connect(namespaces=("/", "/chat"), auth={"token": "x"})
    sids = [client.sio.get_sid(namespace) for namespace in client.namespaces]
    await a.sio.emit("n", 1, namespace="/chat")
    await client.take(("n", 1))
    door.cut()
    await left(a, sids[0])
    await b.sio.disconnect(sids[0])
    await b.sio.emit("n", 2)
    await b.sio.emit("n", 3, namespace="/chat")
    door.lead(b)
    assert sorted([await client.came_back(), await client.came_back()]) == [False, True]
    assert (client.sio.recovered, client.sio.get_recovered("/chat")) == (False, True)
    assert client.sid != sids[0]
    assert client.sio.get_sid("/chat") == sids[1]
    await client.take(("n", 3))
    await client.fence(a)


async def test_its_old_node_does_not_notice(nodes, door, connect):
    """A half-open connection is ended when its client has come back elsewhere, and does no harm."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    door.forsake(b)
    await b.sio.emit("missed", 1, room="red")
    assert await client.came_back() is True
    await client.take(("missed", 1))
    await left(a, sid)
    await a.sio.emit("now", 2, room="red")
    await client.take(("now", 2))
    await client.fence(a)


async def test_what_did_not_arrive_comes_again(nodes, door, connect):
    """What was replayed into a connection that was lost is replayed again, renewed or not."""
    a, b, _ = nodes
    client = await connect()
    await a.sio.emit("first")
    await client.take(("first",))
    door.cut()
    missed = [("missed", number) for number in range(3)]
    for event in missed:
        await a.sio.emit(*event)
    session = client.sio._sessions._sessions["/"]
    before, door.node = session.offset, b
    for _ in range(3):
        assert await client.came_back() is True
        await client.take(*missed)
        await renew(b)
        session.offset = before
        door.cut(b)
    assert await client.came_back() is True
    await client.take(*missed)
    await client.fence(a)


async def test_a_slow_connect_handler(nodes, door, connect, kind):
    """What is emitted while a connect handler runs, and did not arrive after it, comes again."""
    a, b, _ = nodes

    async def slow(sid, environ, auth):
        await a.sio.emit("held", 1, to=sid)
        await a.manager.in_order()

    a.sio.on("connect", slow)
    client = await connect()
    await client.take(("held", 1))
    await renew(a)
    client.sio._sessions._sessions["/"].offset = None
    door.cut(b)
    assert await client.came_back() is True
    await client.take(("held", 1))
    await client.fence(a)


async def test_a_frozen_connection(bus_url, prefix, kind):
    """A client whose connection is frozen, so that no side hears of it, is recovered after missed pings."""
    pings = {"ping_interval": 0.5, "ping_timeout": 0.5}
    async with three_nodes(bus_url, prefix, count=2, recovery_seconds=30, server_options=pings) as (a, b):
        async with Door(a) as door, own_client(kind, door) as client:
            sid, frozen = client.sid, getattr(client.sio.eio.ws, "sock", None)  # aiohttp closes its own
            door.freeze(b)
            await a.sio.emit("missed", 1, to=sid)
            assert await client.came_back() is True
            assert client.sid == sid
            await client.take(("missed", 1))
            await client.fence(a)
            assert frozen is None or frozen.fileno() == -1


async def test_given_up_while_nobody_answers(nodes, door, kind):
    """A client that is stopped while it tries to come back leaves nothing open."""
    async with own_client(kind, door) as client:
        door.cut()
        await left(nodes[0], client.sid)
        await client.away()
        failed = asyncio.Event()
        client.sio.on("connect_error", lambda *_: client.loop.call_soon_threadsafe(failed.set))
        await asyncio.wait_for(failed.wait(), SECONDS)
        await client.close()
        assert client.sio.eio.http is None


async def test_connected_again_by_hand(nodes, door, connect):
    """A client that does not connect again by itself is recovered when its program lets it connect."""
    a, b, _ = nodes
    client = await connect(reconnection=False)
    sid = client.sid
    door.cut()
    await client.away()
    await b.sio.emit("missed", 1)
    door.lead(b)
    await client.open(door.url, transports=["websocket"])
    assert await client.came_back() is True
    assert client.sid == sid
    await client.take(("missed", 1))
    await client.fence(a)


async def test_a_client_that_leaves(nodes, door, connect):
    """A client that has said that it leaves, and comes again, is a new one."""
    client = await connect()
    sid = client.sid
    await client._run(client.sio.disconnect)
    await asyncio.wait_for(client.gone.wait(), SECONDS)
    await nodes[1].sio.emit("missed", to=sid)
    await client.open(door.url, transports=["websocket"])
    assert await client.came_back() is False
    assert client.sid != sid
    await client.fence(nodes[0])
    assert not nodes[0].manager.stats.recoveries


@pytest.mark.parametrize("recovery_seconds", [None])
async def test_without_recovery(nodes, door, connect, recovery_seconds):
    """A server without recovery gives a new session each time, and no text at an event's end is taken."""
    client = await connect()
    for _ in range(2):
        sid = client.sid
        await nodes[1].sio.emit("n", "abcdef12")
        await client.take(("n", "abcdef12"))
        door.cut(nodes[1])
        assert await client.came_back() is False
        assert client.sid != sid
    await client.fence(nodes[0])
