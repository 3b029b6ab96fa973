"""Every way into a node, bare: a lane, python-engineio's WebSocket, polling, and a threaded server."""

from __future__ import annotations

import contextlib

import pytest

from tests import harness
from tests.bare_sessions import RawPolling, raw_polling, raw_websocket
from tests.flask.threaded import ThreadedNode
from tests.harness import Node

WAYS = ["lane", "no-lane", "polling", "flask-websocket", "flask-polling"]


class WebSocketWay:
    """A bare WebSocket."""

    def __init__(self, ws):
        self._ws = ws

    async def send(self, *packets):
        for packet in packets:
            await self._ws.send(packet)

    async def packets(self):
        """All packets until the connection is closed."""
        return [packet async for packet in self._ws]

    async def next(self):
        return await self._ws.recv()


class PollingWay:
    """A bare polling session."""

    def __init__(self, session: RawPolling):
        self._session = session
        self._read = []

    async def send(self, *packets):
        """Send all packets in one POST."""
        return await self._session.post("\x1e".join(packets))

    async def packets(self):
        """All packets until the session is closed, or is unknown already."""
        found = self._read
        while await self._poll():
            found += self._read
        return found

    async def next(self):
        while not self._read:
            assert await self._poll(), "the session was closed"
        return self._read.pop(0)

    async def _poll(self):
        async with self._session.http.get(self._session.url) as response:
            self._read = (await response.text()).split("\x1e")
            return response.status == 200 and self._read != ["1"]


@contextlib.asynccontextmanager
async def way_in(node, way):
    """A session that has joined the namespace ``/``."""
    polling = way.endswith("polling")
    async with (raw_polling if polling else raw_websocket)(node) as raw:
        one = PollingWay(raw) if polling else WebSocketWay(raw)
        await one.send("40")
        assert (await one.next()).startswith("40{")
        yield one


@contextlib.asynccontextmanager
async def node_for(way, monkeypatch, **options):
    """A node that is alone and answers every event with its arguments."""
    monkeypatch.setattr(harness, "LANE", way == "lane")
    node = (ThreadedNode if way.startswith("flask") else Node)(None, "adversary", **options)
    try:
        await node.start()
        yield node
    finally:
        await node.stop()


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
async def node(way, monkeypatch):
    async with node_for(way, monkeypatch) as one:
        yield one
