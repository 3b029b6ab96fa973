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
        self.ws = await websockets.connect(url, proxy=None, ping_interval=None, max_queue=1)
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


class ReturningPlain(PlainClient):
    """One that connects again and again by itself, and keeps what it hears in ``events``."""

    kind = "plain"

    def __init__(self, door, path="/ws"):
        super().__init__(door, path)
        self.connects = asyncio.Queue()
        self.events = asyncio.Queue()
        self.answers = asyncio.Queue()

    async def call(self, event, argument):
        """Send an event with one argument, and return its answer."""
        await self.say(event=event, data=argument, ack=1)
        return await asyncio.wait_for(self.answers.get(), SECONDS)

    async def run(self):
        """Connect and listen until this is cancelled."""
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException):
                self.connects.put_nowait(await self.open())
                while True:
                    message = await self.hear()
                    if "event" in message:
                        self.events.put_nowait((message["event"], [message["data"]]))
                    else:
                        self.answers.put_nowait(message["data"])
            await asyncio.sleep(0.05)

    async def hear(self):
        """The next message, however long it takes."""
        while True:
            with contextlib.suppress(TimeoutError):
                return await super().hear()

    async def came_back(self):
        """Whether the client was recovered, when it has connected again."""
        return await asyncio.wait_for(self.connects.get(), SECONDS)


@contextlib.asynccontextmanager
async def returning_plain(door, path="/ws"):
    """A connected client that comes back by itself."""
    client = ReturningPlain(door, path)
    running = asyncio.create_task(client.run())
    try:
        assert await client.came_back() is False
        yield client
    finally:
        running.cancel()
        await client.close()


@contextlib.asynccontextmanager
async def plain_client(door, path="/ws"):
    """A connected client that is closed in the end."""
    client = PlainClient(door, path)
    try:
        assert await client.open() is False
        yield client
    finally:
        await client.close()
