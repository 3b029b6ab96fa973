"""Events between servers, on the node that hears them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from inspect import isawaitable
from typing import Any, TypeVar

import msgspec

from socketio_cluster.manager.checks import check_event, check_namespace
from socketio_cluster.manager.errors import FAILURES
from socketio_cluster.manager.queries.failed import Failed

logger = logging.getLogger("socketio_cluster.manager")

Handler = TypeVar("Handler", bound=Callable[..., Any])


class ServerEvents:
    """The handlers, by namespace and event."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str], Callable[..., Any]] = {}

    def register(self, event: str, handler: Any, namespace: str | None) -> Any:
        """Register a handler, which replaces an earlier one. Without it, return what registers one.

        Raises ``TypeError`` and ``ValueError`` for another event or namespace, or what is no function.
        """
        place = check_namespace(namespace), check_event(event)

        def register(handler: Handler) -> Handler:
            if not callable(handler):
                raise TypeError(f"the handler of {event!r} must be a function, not {handler!r}")
            self._handlers[place] = handler
            return handler

        return register if handler is None else register(handler)

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
