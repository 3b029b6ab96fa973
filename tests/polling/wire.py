"""A bare HTTP connection of a polling client, which sends any bytes and sees all bytes of the answers."""

from __future__ import annotations

import asyncio
import contextlib

from socketio_cluster.cluster.polling.server_polls import ServerPolls
from socketio_cluster.cluster.strict.gate import gate_of
from tests.harness import SECONDS, eventually

PLAIN = "EIO=4&transport=polling"
OPENING = 1
"""The requests of ``session`` that go the general way: the one that opens it."""


class Wire:
    """One connection to a node; ``headers`` go with each request."""

    def __init__(self, node, headers=()):
        self.node = node
        self.headers = headers
        self.sid = None

    async def open(self):
        """Connect."""
        host, port = self.node.url.removeprefix("http://").split(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port))

    def request(self, method="GET", query=PLAIN, body=b"", *, path="/socket.io/", version="1.1"):
        """The bytes of a request for this session."""
        sid = f"&sid={self.sid}" if self.sid else ""
        lines = [f"{method} {path}?{query}{sid} HTTP/{version}", "Host: node.test", *self.headers]
        if method == "POST":
            lines.insert(1, f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def send(self, data):
        """Send bytes."""
        self.writer.write(data)

    async def answer(self):
        """The next answer: its head without the date, and its body as it came."""
        head = await self._read(self.reader.readuntil(b"\r\n\r\n"))
        if b" 100 " in head:
            return await self.answer()
        fields = [line for line in head.split(b"\r\n") if not line.startswith(b"date: ")]
        length = [int(line.split(b":")[1]) for line in fields if line.startswith(b"content-length")]
        if length:
            return fields, await self._read(self.reader.readexactly(length[0]))
        body = b""
        if b"transfer-encoding: chunked" in fields:
            while not body.endswith(b"0\r\n\r\n"):
                body += await self._read(self.reader.readuntil(b"\r\n"))
        return fields, body

    async def ask(self, *args, **how):
        """Send a request; return the answer to it."""
        self.send(self.request(*args, **how))
        return await self.answer()

    async def ended(self):
        """Whether the server closes the connection without another byte."""
        try:
            return await self._read(self.reader.read()) == b""
        except ConnectionResetError:
            return True

    async def _read(self, work):
        return await asyncio.wait_for(work, SECONDS)

    def close(self):
        """Close the connection."""
        self.writer.close()


@contextlib.asynccontextmanager
async def wire(node, headers=(), sid=None):
    """A connection, of a session or of none."""
    one = Wire(node, headers)
    one.sid = sid
    await one.open()
    try:
        yield one
    finally:
        one.close()


@contextlib.asynccontextmanager
async def session(node, headers=()):
    """A connection whose client is connected to the main namespace, and has fetched what was said of it."""
    async with wire(node, headers) as one:
        _, opened = await one.ask()
        one.sid = opened.split(b'"')[3].decode()
        await one.ask("POST", body=b"40")
        _, connected = await one.ask()
        one.name = connected.split(b'"')[3].decode()
        yield one


def waiting(node):
    """The polls that wait, by the session's id."""
    return gate_of(node.manager.host).waiting


async def waits(node, one):
    """Return when a poll of this session waits."""
    await eventually(lambda: one.sid in waiting(node))


class Ways:
    """Counts the requests that go the short way and the others."""

    def __init__(self, monkeypatch):
        self.short = self.general = 0
        serve = ServerPolls.serve

        def counted(polls, connection, data):
            served = serve(polls, connection, data)
            self.short += served
            self.general += not served
            return served

        monkeypatch.setattr(ServerPolls, "serve", counted)
