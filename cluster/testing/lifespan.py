"""The lifespan of an ASGI application: its start and its end, as a server would run them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from socketio_cluster.cluster.testing.app_websocket import ASGIApp, Message

log = logging.getLogger("socketio_cluster.cluster")


class Lifespan:
    """Runs the lifespan of an application in a task. An application without one starts and ends at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}
        """What the application keeps for its requests."""

    async def start(self) -> None:
        """Start the application. Raises ``RuntimeError`` if it says that it cannot start."""
        self._task = asyncio.create_task(self._run())
        await self._tell("startup")

    async def stop(self) -> None:
        """Let the application end. Raises ``RuntimeError`` if it says that it could not."""
        if self._task is not None and not self._task.done():
            await self._tell("shutdown")
            await self._task

    async def _tell(self, what: str) -> None:
        self._events.put_nowait({"type": f"lifespan.{what}"})
        answer = await self._answers.get()
        if answer is not None and answer["type"] == f"lifespan.{what}.failed":
            raise RuntimeError(f"the {what} of the application has failed: {answer.get('message', '')}")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._events.get, self._answers.put)
        except Exception as error:
            # Servers take this for an application without a lifespan (ASGI, Lifespan Protocol).
            log.debug("the application has no lifespan: %r", error)
        finally:
            self._answers.put_nowait(None)
