"""``PresenceEvents``: how an application registers its handlers of joins and leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from socketio_cluster.manager.presence.calls import Call
from socketio_cluster.manager.presence.handlers import Handler, Handlers

H = TypeVar("H", bound=Handler)


class PresenceEvents:
    """Registers the handlers of joins and leaves."""

    handlers: Handlers
    """Those of ``on_join`` and ``on_leave``."""

    @overload
    def on_join(self, handler: H, *, namespace: str | None = None) -> H: ...
    @overload
    def on_join(self, handler: None = None, *, namespace: str | None = None) -> Callable[[H], H]: ...
    def on_join(self, handler: Any = None, *, namespace: str | None = None) -> Any:
        """Register a handler for keys that have come to a room; a decorator, with or without arguments.

        It is called with the room, the key and the meta, once in the cluster: on one node, when the first
        client of the key is present. It may be a coroutine function; that of a threaded server runs in a
        thread of its own. Raises ``TypeError`` for no function.
        """
        return self.handlers.register(Call.JOIN, handler, namespace)

    @overload
    def on_leave(self, handler: H, *, namespace: str | None = None) -> H: ...
    @overload
    def on_leave(self, handler: None = None, *, namespace: str | None = None) -> Callable[[H], H]: ...
    def on_leave(self, handler: Any = None, *, namespace: str | None = None) -> Any:
        """Register a handler for keys that have left a room, as ``on_join``; the meta is the last one."""
        return self.handlers.register(Call.LEAVE, handler, namespace)
