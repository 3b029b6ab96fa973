"""``ServerHandlers``: how an application registers its handlers of events of other servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from socketio_cluster.manager.queries.server_events import Handler, ServerEvents


class ServerHandlers:
    """Registers the handlers for events of other servers."""

    server_events: ServerEvents
    """Those of ``on_server``."""

    @overload
    def on_server(self, event: str, handler: Handler, namespace: str | None = None) -> Handler: ...
    @overload
    def on_server(
        self, event: str, handler: None = None, namespace: str | None = None
    ) -> Callable[[Handler], Handler]: ...
    def on_server(self, event: str, handler: Any = None, namespace: str | None = None) -> Any:
        """Register a handler for an event of other servers. Without ``handler`` it is a decorator.

        It is called with the event's arguments. It may be a coroutine function; that of a threaded server
        runs in a thread of its own, so events of one server may run at the same time. What it returns is the
        answer to ``server_side_emit_with_ack``. An event has one handler in a namespace: another one replaces
        it. Raises ``TypeError`` and ``ValueError`` for what cannot be registered.
        """
        return self.server_events.register(event, handler, namespace)
