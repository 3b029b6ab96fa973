"""Clients that read at full speed get everything, however much is emitted to them at once."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster import PlainWebSockets
from tests.cluster.lane_helpers import lane_node
from tests.flask.threaded import ThreadedNode
from tests.harness import client, three_nodes
from tests.plain.plain import plain

MEGABYTE = 2**20


class PlainReader:
    """A plain client that gives events as the others do."""

    def __init__(self, one):
        self.sid = one.sid
        self._one = one

    async def next(self, event):
        message = await self._one.hear()
        assert message["event"] == event
        return message["data"]


@contextlib.asynccontextmanager
async def flask_node(**options):
    node = ThreadedNode(None, "bursts", **options)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


@contextlib.asynccontextmanager
async def reader(way, **options):
    """A node and a client of it that reads."""
    transport = "polling" if way.endswith("polling") else "websocket"
    if way.startswith("flask"):
        async with flask_node(**options) as node, client(node, transports=[transport]) as one:
            yield node, one
    elif way == "plain":
        async with lane_node(wrap=PlainWebSockets, **options) as node, plain(node, max_size=None) as one:
            yield node, PlainReader(one)
    elif way == "polling":  # the client leaves a poll open, of which lane_node would complain
        async with three_nodes(None, "bursts", count=1, **options) as [node]:
            async with client(node, transports=["polling"]) as one:
                yield node, one
    else:
        async with lane_node(way == "lane", **options) as node, client(node, transports=[transport]) as one:
            yield node, one


WAYS = pytest.mark.parametrize("way", ["lane", "ordinary", "polling", "flask", "flask-polling", "plain"])


@WAYS
async def test_many_at_once(way):
    """A loop of two thousand emits, twenty megabytes, reaches its client whole and in order."""
    async with reader(way) as (node, one):
        reading = asyncio.create_task(numbers(one, 2000))
        for number in range(2000):
            await node.sio.emit("n", [number, "x" * 10_000], to=one.sid)
        assert await reading == list(range(2000))


async def numbers(one, count):
    """The first numbers of so many events."""
    found = []
    for _ in range(count):
        data = await one.next("n")
        while isinstance(data, list):
            data = data[0]
        found.append(data)
    return found


@WAYS
async def test_one_large_message(way):
    """A message that is larger than what may wait for a client reaches it, and so does what follows."""
    async with reader(way, client_bytes=MEGABYTE // 4) as (node, one):
        await node.sio.emit("n", [0, "x" * 3 * MEGABYTE], to=one.sid)
        await node.sio.emit("n", [1, ""], to=one.sid)
        assert await numbers(one, 2) == [0, 1]


@WAYS
async def test_a_file_in_pieces(way):
    """Emits to one client wait for it, so that it gets many times more than may wait for it."""
    async with reader(way, client_bytes=MEGABYTE // 8) as (node, one):
        reading = asyncio.create_task(numbers(one, 200))
        for number in range(200):
            await node.sio.emit("n", [number, "x" * 50_000], to=one.sid)
        assert await reading == list(range(200))


@pytest.mark.parametrize("way", ["lane", "ordinary", "plain"])
async def test_the_loop_goes_on(way):
    """A loop of emits gives other tasks their turn."""
    async with reader(way) as (node, one):
        turns = []
        counting = asyncio.create_task(_count(turns))
        for number in range(5000):
            await node.sio.emit("n", [number], to=one.sid)
        assert len(turns) > 2
        counting.cancel()
        assert await numbers(one, 5000) == list(range(5000))


async def _count(turns):
    while True:
        turns.append(None)
        await asyncio.sleep(0)
