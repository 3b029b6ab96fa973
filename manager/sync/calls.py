"""What a threaded server and its manager have to ask and tell the cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from socketio_cluster.manager.queries.blocking_calls import BlockingCalls
from socketio_cluster.manager.queries.server_events import Handler, ServerEvents, check_event


class BlockingClusterCalls(BlockingCalls):
    """The calls of ``ClusterCalls``, each of which waits for its result."""

    server_events: ServerEvents
    """The handlers of ``on_server``."""

    @overload
    def on_server(self, event: str, handler: Handler, namespace: str | None = None) -> Handler: ...
    @overload
    def on_server(
        self, event: str, handler: None = None, namespace: str | None = None
    ) -> Callable[[Handler], Handler]: ...
    def on_server(self, event: str, handler: Any = None, namespace: str | None = None) -> Any:
        """Register a handler for an event of other servers, as ``on_server`` of ``AsyncServer``.

        It runs in a thread of its own, so events of one server may run at the same time.
        """
        check_event(event)

        def register(handler: Handler) -> Handler:
            return self.server_events.on(namespace or "/", event, handler)

        return register if handler is None else register(handler)
