"""The calls by which a program with an event loop asks the cluster and tells it something."""

from __future__ import annotations

from socketio_cluster.manager.queries.broadcast import Broadcast, Calls
from socketio_cluster.manager.queries.server_handlers import ServerHandlers
from socketio_cluster.manager.queries.steps import FirstStep


class EmitterCalls(Calls, FirstStep[Broadcast]):
    """The calls of an emitter. It serves no clients, and hears no events of servers."""

    def _everybody(self) -> Broadcast:
        return Broadcast(self)


class ClusterCalls(EmitterCalls, ServerHandlers):
    """The calls of a manager and of a server."""
