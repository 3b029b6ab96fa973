"""Events between servers, on the node that hears them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from inspect import isawaitable
from typing import Any, TypeVar

import msgspec

from socketio_cluster.manager.errors import FAILURES
from socketio_cluster.manager.queries.failed import Failed

logger = logging.getLogger("socketio_cluster.manager")

Handler = TypeVar("Handler", bound=Callable[..., Any])


def check_event(event: object) -> None:
    """Raise ``TypeError`` for a value that is no name of an event."""
    if not isinstance(event, str):
        raise TypeError(f"a server event is named by a text, not {event!r}")


class ServerEvents:
    """The handlers, by namespace and event."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str], Callable[..., Any]] = {}

    def on(self, namespace: str, event: str, handler: Handler) -> Handler:
        """Register a handler, which replaces an earlier one. Raises ``TypeError`` if it is no function."""
        if not callable(handler):
            raise TypeError(f"the handler of {event!r} must be a function, not {handler!r}")
        self._handlers[namespace, event] = handler
        return handler

    async def handle(self, namespace: str, event: str, args: bytes | msgspec.Raw) -> Any:
        """Run the handler with the packed arguments; raises ``Failed`` when it raises, or there is none."""
        handler = self._handlers.get((namespace, event))
        if handler is None:
            raise Failed(f"no handler of {event!r} in namespace {namespace}")
        try:
            return await self.run(handler, msgspec.msgpack.decode(args, type=list))
        except FAILURES as exc:
            logger.exception("the handler of the server event %r failed", event)
            raise Failed(f"{type(exc).__name__}: {exc}") from exc

    async def run(self, handler: Callable[..., Any], arguments: list[Any]) -> Any:
        """Run a handler, here on the event loop."""
        result = handler(*arguments)
        return await result if isawaitable(result) else result
