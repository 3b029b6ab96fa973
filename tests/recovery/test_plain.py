"""Plain WebSocket clients go on where they were, with their token and the last id."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
import websockets

from socketio_cluster import Message, PlainWebSockets
from socketio_cluster.manager.recovery.replay import TRIES
from tests.harness import SECONDS, three_nodes
from tests.recovery.clients import left, renew
from tests.recovery.plain_clients import open_endpoint, plain_client


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

        async def make():
            return await stack.enter_async_context(plain_client(door))

        yield make


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_an_event_that_is_too_large(nodes, connect):
    """A client that closes with code 1009 at the same event again and again begins anew."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await client.ws.close(1009)
    await left(a, sid)
    await b.sio.emit("large", "x" * 50_000, to=sid)
    for _ in range(TRIES):
        assert await client.open() is True
        await client.ws.close(1009)
        await left(a, sid)
    assert await client.open() is True
    await client.cut()
    await left(a, sid)
    assert await client.open() is False
    assert a.manager.stats.recoveries["large"] == 1


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


async def test_again_and_again(nodes, door, connect):
    """It may be cut off ten times in a row, from before its first event on, with an event in between."""
    client = await connect()
    sid = client.sid
    for number in range(10):
        door.cut()
        await client.cut()
        await nodes[2].sio.emit("missed", number, to=sid)
        door.lead(nodes[number % 3])
        assert await client.open() is True
        assert client.sid == sid
        await client.take(("missed", number))
    await client.fence(nodes[0])


async def test_its_old_node_does_not_notice(nodes, door, connect):
    """A half-open connection is ended when its client has come back elsewhere, and does no harm."""
    a, b, _ = nodes
    client = await connect()
    sid, old = client.sid, client.ws
    await a.sio.enter_room(sid, "red")
    door.lead(b)
    await b.sio.emit("missed", 1, room="red")
    assert await client.open() is True
    await client.take(("missed", 1))
    await left(a, sid)
    await old.wait_closed()
    assert old.close_code == 1012
    assert a.log[-1] == ("disconnect", sid, "transport close")
    await a.sio.emit("now", 2, room="red")
    await client.take(("now", 2))
    await client.fence(a)


async def test_events_without_an_id(nodes, door, connect):
    """Volatile events and events with an ack are not replayed, and a client goes on from the right place."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await b.sio.emit("first")
    await client.take(("first",))
    await a.manager.volatile.emit("volatile", "text")
    await client.take(("volatile", "text"))
    asking = asyncio.create_task(b.sio.call("asked", to=sid, timeout=SECONDS))
    asked = await client.hear()
    await client.say(ack=asked.pop("ack"), data="answer")
    assert asked == {"event": "asked"}
    assert await asking == "answer"
    await client.say(event="asks", data="text", ack=7)
    assert await client.hear() == {"ack": 7, "data": "text"}
    door.cut()
    await left(a, sid)
    await b.manager.volatile.emit("volatile", "lost")
    await b.sio.emit("missed", "text")
    door.lead(b)
    assert await client.open() is True
    await client.take(("missed", "text"))
    await client.fence(a)
    assert client.ids == sorted(client.ids)


@pytest.mark.parametrize(("code", "recovered"), [(1000, False), (1005, False), (1001, True), (4000, True)])
async def test_a_client_that_leaves(nodes, connect, code, recovered):
    """Only with 1000 or without a code a client says that it will not come back."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    if code == 1005:
        client.ws.protocol.send_close()
        client.ws.send_data()
    else:
        await client.close(code)
    await left(a, sid)
    await b.sio.emit("missed", to=sid)
    assert await client.open() is recovered
    assert (client.sid == sid) is recovered
    if recovered:
        await client.take(("missed",))
    await client.fence(b)


@pytest.mark.parametrize("recovery_seconds", [4])
async def test_a_quiet_client_is_told_where_it_is(nodes, door, connect):
    """A client without events for longer than any are kept is told where it is, and is recovered."""
    a, b, _ = nodes
    client = await connect()
    sid, first = client.sid, client.id
    await b.sio.emit("other", room="nobody's")
    await b.manager.recovery.in_order()
    place = await a.manager.recovery.keeper.place()
    a.manager.recovery.follower.order.advance(place.epoch, place.last)
    await renew(a)
    await renew(a)  # has nothing new to say
    message = json.loads(await client.ws.recv())
    assert message.keys() == {"id"}
    assert message["id"] > first
    await b.sio.emit("event", 1)
    assert json.loads(await client.ws.recv())["event"] == "event"
    client.id = message["id"]
    door.cut()
    await client.cut()
    door.lead(b)
    assert await client.open() is True
    await client.take(("event", 1))
    await client.fence(a)
    assert client.sid == sid


async def test_the_history_of_a_room(nodes, door, connect):
    """A client that enters a room late gets the last events of it, and goes on from the right place."""
    a, b, _ = nodes
    await b.sio.emit("old", 1, room="red")
    client = await connect()
    await b.sio.emit("before", 2)
    await client.take(("before", 2))
    await a.manager.enter_room(client.sid, "/", "red", history=5)
    await client.take(("old", 1))
    assert client.ids == sorted(client.ids)
    door.cut()
    await client.cut()
    await b.sio.emit("missed", 3, room="red")
    door.lead(b)
    assert await client.open() is True
    await client.take(("missed", 3))
    await client.fence(a)


class Lines:
    """A format of one line: the id or the token, a space, the event, and perhaps a number."""

    def decode(self, data):
        event, _, claim = data.partition(" ")
        token, _, place = claim.partition(" ")
        return Message(event, token=token or None, id=place or None)

    def encode(self, message):
        if message.event == "connect":
            return f"{message.id} {message.args[0]['token']} {message.args[0]['recovered']}"
        return " ".join(map(str, (message.id, message.event, *message.args)))


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_a_format_of_its_own(bus_url, prefix):
    """A codec of the application gets ids and tokens, and gives them, in its own way."""

    def configure(node):
        node.app = PlainWebSockets(node.sio, node.app, codec=Lines())

    async with three_nodes(bus_url, prefix, count=2, configure=configure, recovery_seconds=30) as (a, b):
        url = [node.url.replace("http", "ws") + "/ws?recovery=1" for node in (a, b)]
        async with websockets.connect(url[0], proxy=None) as ws:
            await ws.send("connect")
            place, token, recovered = (await ws.recv()).split()
            assert recovered == "False"
            await b.sio.emit("n", 1)
            last, *event = (await ws.recv()).split()
            assert event == ["n", "1"]
            assert last > place
            ws.transport.abort()
        await a.sio.emit("n", 2)
        async with websockets.connect(url[1], proxy=None) as ws:
            await ws.send(f"connect {token} {last}")
            assert (await ws.recv()).split() == [last, token, "True"]
            assert (await ws.recv()).split()[1:] == ["n", "2"]
