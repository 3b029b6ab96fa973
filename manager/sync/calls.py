"""What a threaded server and its manager have to ask and tell the cluster."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from socketio_cluster.manager.presence.presence import Presence
from socketio_cluster.manager.queries.blocking_calls import BlockingCalls
from socketio_cluster.manager.queries.server_events import Handler, ServerEvents, check_event
from socketio_cluster.manager.sync.presence import BlockingPresence

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

T = TypeVar("T")


class BlockingClusterCalls(BlockingCalls):
    """The calls of ``ClusterCalls``, each of which waits for its result."""

    server_events: ServerEvents
    """The handlers of ``on_server``."""
    server: Any
    """The threaded server of a manager."""

    @cached_property
    def presence(self) -> BlockingPresence:
        """Who is in which room, on all nodes together."""

        def wait_for(call: Callable[[Presence], Coroutine[Any, Any, T]]) -> T:
            return self.wait_for(lambda calls: call(cast("ClusterMember", calls).presence))

        return BlockingPresence(wait_for, lambda: self.server)

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
