"""Plain WebSocket clients that come back as the format's page says."""

from __future__ import annotations

import asyncio
import contextlib
import json

import websockets

from socketio_cluster import PlainWebSockets
from tests.harness import SECONDS


def open_endpoint(node):
    """Let plain clients into a node, at /ws."""
    node.app = PlainWebSockets(node.sio, node.app)


class PlainClient:
    """A plain client that remembers its token and its last id. It connects when a test says so."""

    def __init__(self, door, path="/ws"):
        self.door = door
        self.path = path
        self.token = self.id = None
        self.ids = []
        """All ids that it has got, in order."""

    async def open(self, **fields):
        """Connect; returns whether it was recovered. ``fields`` are of the connect event, None for none."""
        url = self.door.url.replace("http", "ws") + self.path + "?recovery=1"
        self.ws = await websockets.connect(url, proxy=None, ping_interval=None)
        claim = {"token": self.token, "id": self.id} | fields
        claim = {name: value for name, value in claim.items() if value is not None}
        await self.say(event="connect", **claim)
        welcome = await self.hear()
        assert welcome["event"] == "connect", welcome
        self.sid, self.token = welcome["data"]["sid"], welcome["data"].get("token")
        return welcome["data"]["recovered"]

    async def say(self, **fields):
        await self.ws.send(json.dumps(fields))

    async def hear(self):
        """The next message that is not just an id; bytes are its data."""
        while True:
            data = await asyncio.wait_for(self.ws.recv(), SECONDS)
            head, _, body = (data, None, None) if isinstance(data, str) else data.partition(b"\n")
            message = json.loads(head)
            if body is not None:
                message["data"] = body
            self.id = message.pop("id", self.id)
            self.ids.append(self.id)
            if message:
                return message

    async def take(self, *events):
        """Hear the next events, each a name and what comes with it, which must be these."""
        for name, *args in events:
            message = await self.hear()
            message.pop("room", None)
            data = [message.pop("data")] if "data" in message else []
            assert (message, data) == ({"event": name}, args)

    async def fence(self, node):
        """Check that it gets nothing more than was taken."""
        await node.sio.emit("fence", to=self.sid)
        await self.take(("fence",))

    async def cut(self):
        """Wait until the connection is lost; returns the close code."""
        async with asyncio.timeout(SECONDS):
            await self.ws.wait_closed()
        return self.ws.close_code

    async def close(self, code=1000):
        await self.ws.close(code)


@contextlib.asynccontextmanager
async def plain_client(door, path="/ws"):
    """A connected client that is closed in the end."""
    client = PlainClient(door, path)
    try:
        assert await client.open() is False
        yield client
    finally:
        await client.close()
