"""WebSockets that python-engineio drives itself, without a lane: the same rules for what goes over them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from cluster.strict.payload import Malformed, counts
from manager.hang_up import hang_up

NOOP: Final = "6"
UPGRADE_SECONDS: Final = 10.0
"""How long each step of an upgrade may take: until it is done every poll is answered at once."""


class CheckedWebSockets:
    """Puts the checks around the WebSockets of one Engine.IO server."""

    def __init__(self, eio: Any) -> None:
        self._driver = eio._async["websocket"]
        eio._async = {**eio._async, "websocket": self.make}

    def make(self, handler: Any, server: Any) -> Any:
        """Make what serves a connection; ``handler`` is a method of python-engineio's socket."""
        socket = getattr(handler, "__self__", None)
        return self._driver(handler if socket is None else _Handler(handler, socket), server)


class _Handler:
    """The socket's handler; a lane, which finds the socket in ``__self__``, never calls it."""

    def __init__(self, handler: Callable[[Any], Coroutine[Any, Any, None]], socket: Any) -> None:
        self.__self__ = socket
        self._handler = handler

    async def __call__(self, ws: Any) -> None:
        try:
            await self._handler(_WebSocket(ws, self.__self__))
        finally:
            # An upgrade that fails leaves it set, and every poll is then answered with a NOOP at once.
            self.__self__.upgrading = False


class _WebSocket:
    """A WebSocket that takes and sends only what belongs there."""

    def __init__(self, ws: Any, socket: Any) -> None:
        self._ws = ws
        self._socket = socket

    async def wait(self) -> str | bytes:
        """Give the next packet; raises ``OSError`` at the end."""
        if self._socket.upgrading:
            return await self._upgrading()
        while True:
            data: str | bytes = await self._ws.wait()
            if self._socket.closed:
                raise OSError("the session was closed")
            try:
                if isinstance(data, bytes) or counts(data):
                    return data
            except Malformed as exc:
                await hang_up(self._socket, self._socket.server.reason.TRANSPORT_ERROR)
                raise OSError(str(exc)) from exc

    async def _upgrading(self) -> str:
        async with asyncio.timeout(UPGRADE_SECONDS):  # TimeoutError is an OSError
            data = await self._ws.wait()
        if data in ("2probe", "5") and not self._socket.closed:
            return str(data)
        raise OSError("no upgrade")

    async def send(self, data: str | bytes) -> None:
        """Send a packet, but for the NOOP that was to end a poll before the upgrade."""
        if data != NOOP:
            await self._ws.send(data)

    async def close(self) -> None:
        """Close it."""
        await self._ws.close()
