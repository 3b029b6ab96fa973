"""A balancer without any stickiness: connection after connection goes to the next node."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from urllib.parse import urlsplit


class Balancer:
    """Round robin on TCP or, with ``http``, for each request: it lets no connection carry a second one."""

    def __init__(self, urls: list[str], *, http: bool) -> None:
        self._places = itertools.cycle([(urlsplit(url).hostname, urlsplit(url).port) for url in urls])
        self._http = http
        self._serving: set[asyncio.Task] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._serving)

    def _accept(self, reader, writer):
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader, writer):
        mine = {writer}
        self._writers |= mine
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n") if self._http else b""
            if b"upgrade: websocket" not in head.lower():
                head = re.sub(rb"(?im)^connection:.*\r\n", b"", head)
                head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) if head else head
            there_reader, there_writer = await asyncio.open_connection(*next(self._places))
            mine.add(there_writer)
            self._writers.add(there_writer)
            there_writer.write(head)
            await asyncio.gather(
                pump(reader, there_writer), pump(there_reader, writer), return_exceptions=True
            )
        for one in mine:
            one.close()
        self._writers -= mine


async def pump(reader, writer):
    """Copy until the end, then pass the end on."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
