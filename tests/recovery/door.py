"""A door in front of the nodes: a TCP proxy that cuts, freezes and moves the connections of clients."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit


class Door:
    """Passes connections on to one node, or to none. ``url`` is for the clients.

    With ``upgrades``, an event, a WebSocket opens when that is set, but nothing of its node comes through it:
    an upgrade stays halfway. ``upgrading`` is set then.
    """

    def __init__(self, node=None, *, upgrades=None):
        self.node = node
        self.upgrades = upgrades
        self.upgrading = asyncio.Event()
        self._writers = set()
        self._tasks = set()
        self._frozen = set()

    async def __aenter__(self):
        await self.open()
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def open(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self):
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, node=None):
        """Cut all connections. With a node, new ones go there; without, they are refused until ``lead``."""
        self.node = node
        writers, self._writers = self._writers, set()
        for writer in writers:
            writer.transport.abort()

    def lead(self, node):
        """Let new connections go to a node."""
        self.node = node

    def forsake(self, node):
        """Cut the clients' side, and leave the node's side open: it does not notice."""
        self.node = node
        for writer in [writer for writer in self._writers if writer.to_client]:
            writer.transport.abort()

    def freeze(self, node):
        """Pass nothing on any more, and close nothing: no side hears of it. New connections go to a node."""
        self.node = node
        self._frozen |= self._writers

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        writer.to_client = True
        self._writers.add(writer)
        if self.node is None:
            writer.transport.abort()
            return
        place = urlsplit(self.node.url)
        try:
            other_reader, other = await asyncio.open_connection(place.hostname, place.port)
        except OSError:
            writer.transport.abort()
            return
        other.to_client = False
        self._writers.add(other)
        if self.upgrades is not None:
            await self._begin(reader, writer, other_reader, other)
        # The node does not hear that its client has gone, unless it is cut; the client hears of its node.
        await asyncio.gather(self._pass_on(reader, other), self._pass_on(other_reader, writer))
        if other_reader.at_eof():  # otherwise its client was forsaken
            other.transport.abort()

    async def _begin(self, reader, writer, other_reader, other):
        """Pass on the first request and, if it opens a WebSocket, no more than its answer."""
        with contextlib.suppress(OSError):
            request = await reader.read(65536)
            if b"transport=websocket" not in request:
                other.write(request)
                return
            await self.upgrades.wait()
            other.write(request)
            writer.write(await other_reader.read(65536))
            self._frozen.add(writer)
            self.upgrading.set()

    async def _pass_on(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if writer not in self._frozen:
                    writer.write(data)
                    await writer.drain()
        if writer.to_client and writer not in self._frozen:
            writer.transport.abort()
