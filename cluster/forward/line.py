"""A line: one connection between two nodes, on which both send frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import Final, cast

_SIZE: Final = Struct(">I")
MAX_FRAME: Final = 1024 * 1024
"""Bytes. The head of a request (uvicorn takes 64 KiB) and a piece of a body are always smaller."""
MAX_STRANGE: Final = 64
"""Bytes of a frame while the other side has not proved yet that it is a node."""


class LineLost(ConnectionError):
    """The connection to the other node ended."""


def framed(frame: bytes) -> bytes:
    """Return a frame with its size in front."""
    return _SIZE.pack(len(frame)) + frame


class NodeLine(asyncio.Protocol):
    """A connection with frames: each is its size in 4 bytes, big-endian, and then its bytes.

    Reading from the socket stops while more than one frame of the largest size is buffered; a writer calls
    ``drain`` to wait until the other side has read. Only one task may read.

    Args:
        opened: called when the connection is made.
    """

    def __init__(self, opened: Callable[[NodeLine], None] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        """Done when the connection has ended. Several tasks wait for it, so each must shield it when it
        awaits it."""
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
        """Take frames of MAX_FRAME bytes from now on: the other side is a node."""
        self._limit = MAX_FRAME
        self._regulate()

    async def read(self) -> bytes:
        """Return the next frame; raise ``LineLost`` when the connection ends before.

        Cancelling it loses nothing.
        """
        while (frame := self._next()) is None:
            if self.lost.done():
                raise LineLost("the other node closed the connection")
            self._news = self._loop.create_future()
            await self._news
        return frame

    def write(self, frame: bytes) -> None:
        """Send a frame.

        On a lost line it is thrown away, and the next ``read`` or ``drain`` raises ``LineLost``.
        """
        self.transport.write(framed(frame))

    async def drain(self) -> None:
        """Return when the other side keeps up; raise ``LineLost`` when the connection has ended."""
        await self._writable.wait()
        if self.lost.done():
            raise LineLost("the other node closed the connection")

    def rest(self) -> bytes:
        """Return the bytes that were not read as frames, for the protocol that takes the transport over."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._regulate()
        return rest

    def close(self) -> None:
        """Close the connection when everything is written; the other side then closes too."""
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
        """Stop reading from the socket while a frame of the largest size waits to be read."""
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

    # calls of the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Call ``opened``."""
        self.transport = cast("asyncio.Transport", transport)
        if self._opened is not None:
            self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Keep the bytes, and wake the reader."""
        self._buffer += data
        self._regulate()
        self._wake()

    def pause_writing(self) -> None:
        """Make ``drain`` wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let ``drain`` return."""
        self._writable.set()

    def eof_received(self) -> bool:
        """Return False, by which the transport closes: half a line is of no use."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake the tasks that wait; they raise ``LineLost``."""
        if not self.lost.done():
            self.lost.set_result(None)
        self._writable.set()
        self._wake()
