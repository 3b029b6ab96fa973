"""What a threaded server and its manager have to ask and tell the cluster."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from socketio_cluster.manager.presence.presence import Presence
from socketio_cluster.manager.queries.blocking_calls import BlockingCalls
from socketio_cluster.manager.queries.server_handlers import ServerHandlers
from socketio_cluster.manager.sync.presence import BlockingPresence

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

T = TypeVar("T")


class BlockingClusterCalls(BlockingCalls, ServerHandlers):
    """The calls of ``ClusterCalls``, each of which waits for its result."""

    server: Any
    """The threaded server of a manager."""

    @cached_property
    def presence(self) -> BlockingPresence:
        """Who is in which room, on all nodes together."""

        def wait_for(call: Callable[[Presence], Coroutine[Any, Any, T]]) -> T:
            return self.wait_for(lambda calls: call(cast("ClusterMember", calls).presence))

        return BlockingPresence(wait_for, lambda: self.server)
