"""Runs code of the application, which may block, for the event loop of a threaded server's node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.errors import FAILURES
from socketio_cluster.manager.queries.server_events import ServerEvents
from socketio_cluster.manager.tasks import set_once

logger = logging.getLogger("socketio_cluster.manager")


async def in_thread(server: Any, work: Callable[..., Any], *arguments: object) -> Any:
    """Run a function in a thread of its own, wait for its end, and return what it returns.

    Raises what the function raises. If this is cancelled, the function runs on.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def run() -> None:
        result, error = None, None
        try:
            result = work(*arguments)
        except BaseException as exc:
            error = exc
        try:
            loop.call_soon_threadsafe(set_once, done, (result, error))
        except RuntimeError:  # The node was closed meanwhile, so nobody waits.
            logger.warning("a request of another node ended after this node", exc_info=error)

    server.start_background_task(run)
    result, error = await done
    if error is not None:
        raise error
    return result


def threaded(server: Any, callback: Callback) -> Callback:
    """Return what calls a callback in a thread of its own, and logs its error."""

    def run(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except FAILURES:
            logger.exception("the callback of an emit failed")

    return lambda *arguments: server.start_background_task(run, *arguments) and None


class ThreadedServerEvents(ServerEvents):
    """Handlers of events between servers, each in a thread of its own.

    Args:
        server: returns the threaded server.
    """

    def __init__(self, server: Callable[[], Any]) -> None:
        super().__init__()
        self._server = server

    async def run(self, handler: Callable[..., Any], arguments: list[Any]) -> Any:
        """Run a handler."""
        return await in_thread(self._server(), handler, *arguments)
