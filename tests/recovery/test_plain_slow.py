"""Plain clients that were too slow, and come back."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import PlainWebSockets
from tests.harness import three_nodes
from tests.recovery.clients import left
from tests.recovery.plain_clients import plain_client

CHUNK = "x" * 20_000


@pytest.fixture(params=["local"])
def bus_url(request):
    """One bus: who is slow does not depend on it."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def nodes(bus_url, prefix, slow):
    def configure(node):
        node.app = PlainWebSockets(node.sio, node.app, slow=slow, high_water=400_000)

    async with three_nodes(bus_url, prefix, count=2, configure=configure, recovery_seconds=30) as two:
        yield two


async def flood(node, until):
    """Emit large events with numbers until something holds; returns how many.

    None is emitted before the last one has come back from the bus: on a busy machine thousands would
    be under way, and the first ones no longer kept when the client is back.
    """
    sent = 0
    async with asyncio.timeout(60):
        while not until():
            await node.sio.emit("much", [sent, CHUNK])
            await node.manager.in_order()
            sent += 1
    return sent


async def numbers(client, count):
    """The numbers of the next events."""
    return [(await client.hear())["data"][0] for _ in range(count)]


@pytest.mark.parametrize("slow", ["close"])
async def test_one_that_was_closed(nodes, door):
    """A slow client that was disconnected has all events when it is back, and is in time again."""
    a, b = nodes
    async with plain_client(door) as client:
        sid = client.sid
        sent = await flood(a, lambda: a.manager.stats.slow_consumers)
        assert await numbers(client, 3) == [0, 1, 2]
        await left(a, sid)
        client.ws.transport.abort()
        door.lead(b)
        assert await client.open() is True
        assert client.sid == sid
        assert await numbers(client, sent - 3) == list(range(3, sent))
        await client.fence(a)


@pytest.mark.parametrize("slow", ["skip"])
async def test_one_that_was_not_told_what_it_missed(nodes, door):
    """Events were left out, and the connection is lost before the client was told: it gets them then."""
    a, b = nodes
    async with plain_client(door) as client:
        [socket] = a.sio.eio.sockets.values()
        sent = await flood(a, lambda: socket.writer._queue.missed >= 5)
        socket.tell("no id that the client may believe")
        assert await numbers(client, 3) == [0, 1, 2]
        door.cut()
        await left(a, client.sid)
        door.lead(b)
        assert await client.open() is True
        assert await numbers(client, sent - 3) == list(range(3, sent))
        await client.fence(a)


@pytest.mark.parametrize("slow", ["skip"])
async def test_one_that_was_told(nodes, door):
    """Events that were left out, and of which the client was told, do not come again."""
    a, b = nodes
    async with plain_client(door) as client:
        [socket] = a.sio.eio.sockets.values()
        sent = await flood(a, lambda: socket.writer._queue.missed >= 5)
        heard, missed = [], 0
        while len(heard) + missed < sent:
            message = await client.hear()
            if message["event"] == "missed":
                missed += message["data"]
            else:
                heard.append(message["data"][0])
        assert heard == sorted(set(heard))
        assert len(heard) + missed == sent
        await a.sio.emit("much", [sent])
        assert await numbers(client, 1) == [sent]
        door.cut()
        await client.cut()
        await b.sio.emit("much", [sent + 1])
        door.lead(b)
        assert await client.open() is True
        assert await numbers(client, 1) == [sent + 1]
        await client.fence(a)
