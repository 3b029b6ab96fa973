"""A small HTTP server for probes: each connection carries one short request, and has a limit of time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

HEAD_BYTES: Final = 8192
BODY_BYTES: Final = 65536
SECONDS: Final = 5.0
"""The time for a whole request and its answer."""
AT_ONCE: Final = 64
"""Connections. When one more comes, the oldest one that has not sent its request is closed."""
_LENGTH_DIGITS: Final = 9
"""A body is too large when its length has more digits. Python reads no numbers with more than 4,300."""
_END: Final = b"\r\n\r\n"


@dataclass(frozen=True)
class ProbeRequest:
    """A request without its body; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class ProbeAnswer:
    """A status, a body of some type, and more headers."""

    status: HTTPStatus
    body: bytes
    kind: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class BadRequest(Exception):
    """The request cannot be read; `status` says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class HttpServer:
    """Serves requests on a listening socket; `handle` returns the answers."""

    def __init__(self, handle: Callable[[ProbeRequest], Awaitable[ProbeAnswer]]) -> None:
        self._handle = handle
        self._open = 0
        self._silent: dict[asyncio.StreamWriter, None] = {}
        """The connections that have not sent their request, the oldest first."""

    async def serve(self, sock: socket.socket) -> asyncio.Server:
        """Begin to serve."""
        return await asyncio.start_server(self._serve, sock=sock, limit=HEAD_BYTES)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= AT_ONCE:
            self._make_room()
        self._open += 1
        self._silent[writer] = None
        try:
            # OSError means that the peer has left or, as TimeoutError, that it is too slow.
            with contextlib.suppress(OSError):
                if self._open <= AT_ONCE:
                    async with asyncio.timeout(SECONDS):
                        await self._exchange(reader, writer)
        finally:
            self._open -= 1
            self._silent.pop(writer, None)
            writer.close()

    def _make_room(self) -> None:
        oldest = next(iter(self._silent), None)
        if oldest is not None:
            del self._silent[oldest]
            oldest.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = False
        try:
            request = await read_request(reader)
            self._silent.pop(writer, None)
            head = request.method == "HEAD"
            answer = await self._handle(request)
        except BadRequest as error:
            answer = ProbeAnswer(error.status, f"{error}\n".encode())
        writer.write(encode(answer, head=head))
        await writer.drain()


async def read_request(reader: asyncio.StreamReader) -> ProbeRequest:
    """Read a request and throw its body away; raise `BadRequest`, or OSError when the peer leaves."""
    try:
        lines = (await reader.readuntil(_END)).decode("latin-1").split("\r\n")[:-2]
    except asyncio.LimitOverrunError:
        raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    except asyncio.IncompleteReadError:
        raise ConnectionError("no whole request") from None
    method, _, rest = lines[0].partition(" ")
    target, _, version = rest.rpartition(" ")
    if not (
        method.isascii() and method.isupper() and target.startswith("/") and version.startswith("HTTP/1.")
    ):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines[1:])
    }
    await _skip_body(reader, headers)
    return ProbeRequest(method, target.partition("?")[0], headers)


async def _skip_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    # An unread body would turn the close of the connection into a reset, which can overtake the answer.
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal():
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    if len(length) > _LENGTH_DIGITS or int(length) > BODY_BYTES:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        await reader.readexactly(int(length))
    except asyncio.IncompleteReadError:
        raise ConnectionError("no whole request") from None


def encode(answer: ProbeAnswer, *, head: bool) -> bytes:
    """Return the bytes of an answer; with `head`, for a HEAD request, without its body."""
    headers = (
        ("Content-Type", answer.kind),
        ("Content-Length", str(len(answer.body))),
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
        *answer.headers,
    )
    lines = [f"HTTP/1.1 {answer.status.value} {answer.status.phrase}", *(f"{n}: {v}" for n, v in headers)]
    return "\r\n".join(lines).encode("latin-1") + _END + (b"" if head else answer.body)
