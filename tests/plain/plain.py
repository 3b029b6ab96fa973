"""Plain clients of the tests, and nodes that let them in."""

from __future__ import annotations

import asyncio
import contextlib
import json

import websockets

from socketio_cluster import PlainWebSockets
from tests.harness import SECONDS, three_nodes


class Plain:
    """A bare WebSocket that says and hears JSON."""

    def __init__(self, ws):
        self.ws = ws

    async def say(self, **fields):
        await self.ws.send(json.dumps(fields))

    async def hear(self):
        """The next message: JSON as what it means, anything binary as it is."""
        data = await asyncio.wait_for(self.ws.recv(), SECONDS)
        return json.loads(data) if isinstance(data, str) else data

    async def ask(self, **fields):
        """Say something with an ack and give what comes next."""
        await self.say(**fields, ack=1)
        return await self.hear()

    async def closed(self):
        """Wait for the end; gives the server's code and reason."""
        async with asyncio.timeout(SECONDS):
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    await self.ws.recv()
        return self.ws.close_code, self.ws.close_reason


@contextlib.asynccontextmanager
async def bare(node, path="/ws", **options):
    """A plain client before it has heard anything."""
    url = node.url.replace("http", "ws") + path
    async with websockets.connect(url, proxy=None, ping_interval=None, **options) as ws:
        yield Plain(ws)


@contextlib.asynccontextmanager
async def plain(node, path="/ws", **options):
    """A connected plain client; its ``sid`` is what the server said."""
    async with bare(node, path, **options) as client:
        welcome = await client.hear()
        assert welcome["event"] == "connect"
        client.sid = welcome["data"]["sid"]
        yield client


@contextlib.asynccontextmanager
async def plain_nodes(bus_url, prefix, *, count=2, configure=None, endpoint=None, **options):
    """Nodes with a plain endpoint at /ws; ``endpoint`` holds its settings, ``configure`` runs before each."""

    def open_endpoint(node):
        node.app = node.plain = PlainWebSockets(node.sio, node.app, **(endpoint or {}))
        if configure:
            configure(node)

    async with three_nodes(bus_url, prefix, count=count, configure=open_endpoint, **options) as nodes:
        yield nodes
