"""A WebSocket to an ASGI application in the same event loop, without a network."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Protocol

log = logging.getLogger("socketio_cluster.cluster")

Message = MutableMapping[str, Any]
ASGIApp = Callable[
    [Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

LEAVE_SECONDS: Final = 5.0
"""How long the application may take to see that the WebSocket is closed."""


class WebSocketRefused(Exception):
    """The application has not opened the WebSocket. The text says how it has answered."""


class Ends(Protocol):
    """Who uses a WebSocket. Its methods are called from the task of the application."""

    def received(self, data: str | bytes) -> None:
        """Take a message."""

    def closed(self) -> None:
        """Note that the WebSocket has ended, whoever has closed it."""


class AppWebSocket:
    """One WebSocket, as ASGI describes it (HTTP & WebSocket, version 2.3).

    What is sent waits without a bound until the application reads it: a test sends little.

    Args:
        app: the ASGI application.
        scope: the connection's scope.
        ends: who is told of messages and of the end.
    """

    def __init__(self, app: ASGIApp, scope: Message, ends: Ends) -> None:
        self._app = app
        self._scope = scope
        self._ends = ends
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """How the application has answered: an empty text when the WebSocket is open."""
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the WebSocket. Raises ``WebSocketRefused`` if the application does not."""
        self._waiting.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._run())
        answer = await self._answer
        if answer:
            raise WebSocketRefused(answer)

    def send(self, data: str | bytes) -> None:
        """Send a message to the application."""
        kind = "text" if isinstance(data, str) else "bytes"
        self._waiting.put_nowait({"type": "websocket.receive", kind: data})

    async def close(self, code: int = 1000) -> None:
        """Close the WebSocket, and wait until the application has seen it."""
        self._waiting.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=LEAVE_SECONDS)
            if not done:
                self._task.cancel()
                await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._waiting.get, self._send)
            self._answered("it has said nothing")
        except Exception as error:
            self._answered(f"it has raised {error!r}")
            log.exception("the application has failed in a WebSocket")
        finally:
            self._ends.closed()

    async def _send(self, message: Message) -> None:
        match message["type"].removeprefix("websocket."):
            case "accept":
                self._answered("")
            case "send":
                data = message.get("text")
                self._ends.received(data if data is not None else message["bytes"])
            case "http.response.start":
                self._scope["status"] = message["status"]
            case "http.response.body":
                self._answered(f"{self._scope['status']} {message.get('body', b'').decode(errors='replace')}")
            case "close":
                self._answered(
                    f"it has closed the connection: {message.get('reason') or 'no reason is given'}"
                )
                self._waiting.put_nowait({"type": "websocket.disconnect", "code": 1000, "reason": ""})
                self._ends.closed()

    def _answered(self, text: str) -> None:
        if not self._answer.done():
            self._answer.set_result(text)
