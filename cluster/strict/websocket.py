"""WebSockets that python-engineio drives itself, without a lane: the same rules for what goes over them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from socketio_cluster.cluster.limits.limits import (
    PAYLOAD_TOO_LARGE,
    POLICY,
    RATE_LIMIT,
    TOO_BIG,
    pacer_of,
    size,
)
from socketio_cluster.manager.host.posts import Malformed, counts
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import hang_up
from socketio_cluster.manager.stats import Stats

NOOP: Final = "6"
UPGRADE_SECONDS: Final = 10.0
"""How long each step of an upgrade may take: until it is done every poll is answered at once."""


def check_websockets(host: Host, stats: Stats) -> None:
    """Put the checks around the WebSockets of a server."""

    def before(driver: Callable[..., Any]) -> Callable[..., Any]:
        def make(handler: Any, server: Any) -> Any:
            """Make what serves a connection; ``handler`` is a method of python-engineio's socket."""
            socket = getattr(handler, "__self__", None)
            return driver(handler if socket is None else _Handler(handler, socket, host, stats), server)

        return make

    host.driver("websocket").put("strict", before)


class _Handler:
    """The socket's handler; a lane, which finds the socket in ``__self__``, never calls it."""

    def __init__(
        self, handler: Callable[[Any], Coroutine[Any, Any, None]], socket: Any, host: Host, stats: Stats
    ) -> None:
        self.__self__ = socket
        self._host = host
        self._stats = stats
        self._handler = handler

    async def __call__(self, ws: Any) -> None:
        try:
            await self._handler(_WebSocket(ws, self.__self__, self._host, self._stats))
        finally:
            # An upgrade that fails leaves it set, and every poll is then answered with a NOOP at once.
            self.__self__.upgrading = False


class _WebSocket:
    """A WebSocket that takes and sends only what belongs there."""

    def __init__(self, ws: Any, socket: Any, host: Host, stats: Stats) -> None:
        self._ws = ws
        self._host = host
        self._socket = socket
        self._stats = stats

    async def wait(self) -> str | bytes:
        """Give the next packet; raises ``OSError`` at the end."""
        if self._socket.upgrading:
            return await self._upgrading()
        while True:
            data: str | bytes = await self._ws.wait()
            if self._socket.closed:
                raise OSError("the session was closed")
            await self._check(data)
            try:
                if isinstance(data, bytes) or counts(data):
                    return data
            except Malformed as exc:
                await hang_up(self._socket, self._socket.server.reason.TRANSPORT_ERROR)
                raise OSError(str(exc)) from exc

    async def _check(self, data: str | bytes) -> None:
        """Close the connection, and raise ``OSError``, for a message too large or one event too many."""
        socket, limit = self._socket, self._socket.server.max_http_buffer_size
        length = size(data)
        self._stats.received_bytes += length
        if length > limit:
            await self._end(TOO_BIG, f"message over {limit} bytes", PAYLOAD_TOO_LARGE)
        pacer = pacer_of(self._host)
        if pacer is not None and not await pacer.admit(socket, (data,)):
            await self._end(POLICY, RATE_LIMIT, RATE_LIMIT)

    async def _end(self, code: int, text: str, reason: str) -> None:
        await self._host.close_with(self._socket, code, text, reason)
        raise OSError(text)

    async def _upgrading(self) -> str:
        async with asyncio.timeout(UPGRADE_SECONDS):  # TimeoutError is an OSError
            data = await self._ws.wait()
        if data in ("2probe", "5") and not self._socket.closed:
            return str(data)
        raise OSError("no upgrade")

    async def send(self, data: str | bytes) -> None:
        """Send a packet, but for the NOOP that was to end a poll before the upgrade."""
        if data != NOOP:
            self._stats.sent_bytes += size(data)
            await self._ws.send(data)

    async def close(self) -> None:
        """Close it, with the code that whoever ends the session has left in the socket."""
        close_frame = self._host.close_frame(self._socket)
        if close_frame is None:
            await self._ws.close()
        else:
            with contextlib.suppress(OSError, RuntimeError):  # it may have ended by itself
                code, text = close_frame
                await self._ws.asgi_send({"type": "websocket.close", "code": code, "reason": text})
