"""A line: one connection between two nodes that carries frames, in order, both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import Final, cast

_SIZE: Final = Struct(">I")
MAX_FRAME: Final = 1024 * 1024
"""More than the head of any request (uvicorn takes 64 KiB) and any piece of a body."""
MAX_STRANGE: Final = 64
"""Bytes of a frame from somebody who has not proved yet to be a node."""


class LineLost(ConnectionError):
    """The connection ended."""


class NodeLine(asyncio.Protocol):
    """A connection with frames: 4 bytes size, then so many bytes.

    No more than one frame is buffered on the way in; ``drain`` waits for the way out. One task reads.

    Args:
        opened: called when the connection is made.
    """

    def __init__(self, opened: Callable[[NodeLine], None] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        """Done when the connection has ended; waited for by several, so never awaited unshielded."""
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._opened = opened
        self._loop = loop
        self._buffer = bytearray()
        self._limit = MAX_STRANGE
        self._held = False
        self._news: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def trust(self) -> None:
        """Take frames of full size from now on: the other side is a node."""
        self._limit = MAX_FRAME
        self._regulate()

    async def read(self) -> bytes:
        """Return the next frame; raises ``LineLost``."""
        while (frame := self._next()) is None:
            if self.lost.done():
                raise LineLost("the other node closed the connection")
            self._news = self._loop.create_future()
            await self._news
        return frame

    def write(self, frame: bytes) -> None:
        """Send a frame; into a lost line it goes nowhere, which the next read tells."""
        self.transport.write(_SIZE.pack(len(frame)) + frame)

    async def drain(self) -> None:
        """Return when the other side keeps up; raises ``LineLost``."""
        await self._writable.wait()
        if self.lost.done():
            raise LineLost("the other node closed the connection")

    def rest(self) -> bytes:
        """Give up framing: return what has arrived, for the protocol that takes the transport over."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._regulate()
        return rest

    def close(self) -> None:
        """End the connection after what was written; the other side closes in turn."""
        self.transport.close()

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < _SIZE.size:
            return None
        end = _SIZE.size + _SIZE.unpack_from(buffer)[0]
        if end - _SIZE.size > self._limit:
            self.transport.abort()
            raise LineLost(f"a frame of {end - _SIZE.size} bytes")
        if len(buffer) < end:
            return None
        frame = bytes(memoryview(buffer)[_SIZE.size : end])
        del buffer[:end]
        self._regulate()
        return frame

    def _regulate(self) -> None:
        """Hold the other side back while there is a whole frame or more to read."""
        held = len(self._buffer) > self._limit + _SIZE.size
        if held is not self._held and not self.lost.done():
            self._held = held
            if held:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the owner of the line."""
        self.transport = cast("asyncio.Transport", transport)
        if self._opened is not None:
            self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Keep what came, and wake the reader."""
        self._buffer += data
        self._regulate()
        self._wake()

    def pause_writing(self) -> None:
        """Let ``drain`` wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let ``drain`` return."""
        self._writable.set()

    def eof_received(self) -> bool:
        """Close: half a line is of no use."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake everybody."""
        if not self.lost.done():
            self.lost.set_result(None)
        self._writable.set()
        self._wake()
