"""Checks the packets of WebSockets that python-engineio serves itself, without a lane."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final

from socketio_cluster.cluster.limits.limits import (
    PAYLOAD_TOO_LARGE,
    POLICY,
    RATE_LIMIT,
    TOO_BIG,
    pacer_of,
    size,
)
from socketio_cluster.cluster.strict.probe import probe_answered
from socketio_cluster.manager.host.posts import Malformed, counts
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import hang_up
from socketio_cluster.manager.stats import Stats

NOOP: Final = "6"
PROBE_ANSWER: Final = "3probe"
UPGRADE_SECONDS: Final = 10.0
"""Seconds that each step of an upgrade may take. Until it is done, every poll is answered at once."""


def check_websockets(host: Host, stats: Stats, message_too_large: Callable[[str], object]) -> None:
    """Put the checks around the WebSockets of a server.

    ``message_too_large`` is called with the id of a session whose client closes for that reason.
    """

    def before(driver: Callable[..., Any]) -> Callable[..., Any]:
        def make(handler: Any, server: Any) -> Any:
            """Return the object that serves a connection.

            ``handler`` is a method of python-engineio's socket.
            """
            socket = getattr(handler, "__self__", None)
            checked = handler if socket is None else _Handler(handler, socket, host, stats, message_too_large)
            return driver(checked, server)

        return make

    host.driver("websocket").put("strict", before)


class _Handler:
    """Calls the socket's handler with a checked WebSocket. A lane only takes the socket from ``__self__``."""

    def __init__(
        self,
        handler: Callable[[Any], Coroutine[Any, Any, None]],
        socket: Any,
        host: Host,
        stats: Stats,
        message_too_large: Callable[[str], object],
    ) -> None:
        self.__self__ = socket
        self._host = host
        self._stats = stats
        self._handler = handler
        self._message_too_large = message_too_large

    async def __call__(self, ws: Any) -> None:
        ws.asgi_receive = partial(self._receive, ws.asgi_receive)
        try:
            await self._handler(_WebSocket(ws, self.__self__, self._host, self._stats))
        finally:
            # After a failed upgrade it would stay set, and every poll would be answered with a NOOP at once.
            self.__self__.upgrading = False

    async def _receive(self, receive: Callable[[], Awaitable[Any]]) -> Any:
        """Receive a message of ASGI. python-engineio does not look at the code with which a client closes."""
        event = await receive()
        if event["type"] == "websocket.disconnect" and event.get("code") == TOO_BIG:
            self._message_too_large(self.__self__.sid)
        return event


class _WebSocket:
    """A WebSocket that passes on only valid packets, and closes the connection after others."""

    def __init__(self, ws: Any, socket: Any, host: Host, stats: Stats) -> None:
        self._ws = ws
        self._host = host
        self._socket = socket
        self._stats = stats

    async def wait(self) -> str | bytes:
        """Return the next packet; raise ``OSError`` at the end of the connection."""
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
        """Close and raise ``OSError`` when the message is too large, or the client sends too many events."""
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
        """Send a packet. A NOOP is left out: its purpose was to end a poll before the upgrade."""
        if data != NOOP:
            self._stats.sent_bytes += size(data)
            await self._ws.send(data)
            if data == PROBE_ANSWER:
                probe_answered(self._socket)

    async def close(self) -> None:
        """Close it with the code that ``Host.close_with`` has noted for the session, if there is one."""
        close_frame = self._host.close_frame(self._socket)
        if close_frame is None:
            await self._ws.close()
        else:
            with contextlib.suppress(OSError, RuntimeError):  # the connection may have ended by itself
                code, text = close_frame
                await self._ws.asgi_send({"type": "websocket.close", "code": code, "reason": text})
