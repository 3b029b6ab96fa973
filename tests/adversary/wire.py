"""The connections of one node to its bus, through this process, so that they can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

CHUNK = 1 << 16


class Wire:
    """Passes bytes between a node and its bus.

    Args:
        bus_url: of the bus; ``url`` is what the node takes in its place.
    """

    def __init__(self, bus_url):
        self._bus = urlsplit(bus_url)
        self._local = self._bus.scheme == "local"
        self._open = set()
        self._shut = False
        self._tasks = set()

    async def __aenter__(self):
        if self._local:
            self._folder = tempfile.TemporaryDirectory(prefix="wire-")
            path = Path(self._folder.name) / "bus.sock"
            self._server = await asyncio.start_unix_server(self._accept, path)
            self.url = f"local://{path}"
        else:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            port = self._server.sockets[0].getsockname()[1]
            who, at, _ = self._bus.netloc.rpartition("@")
            self.url = urlunsplit(self._bus._replace(netloc=f"{who}{at}127.0.0.1:{port}"))
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._local:
            self._folder.cleanup()

    def cut(self):
        """Kill all connections; new ones may be made at once."""
        for writer in self._open:
            writer.transport.abort()

    @contextlib.contextmanager
    def shut(self):
        """Kill all connections, and let nobody in meanwhile."""
        self._shut = True
        self.cut()
        try:
            yield
        finally:
            self._shut = False

    async def _accept(self, reader, writer):
        if self._shut:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            if self._local:
                bus_reader, bus_writer = await asyncio.open_unix_connection(self._bus.path)
            else:
                bus_reader, bus_writer = await asyncio.open_connection(self._bus.hostname, self._bus.port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, bus_writer}
        self._open |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, bus_writer, both))
                group.create_task(self._pass(bus_reader, writer, both))
        finally:
            self._open -= both

    async def _pass(self, reader, writer, both):
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
        for each in both:
            each.transport.abort()
