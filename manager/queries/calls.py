"""All that a program with an event loop has to ask and tell the cluster."""

from __future__ import annotations

from socketio_cluster.manager.queries.broadcast import Broadcast, Calls
from socketio_cluster.manager.queries.server_calls import ServerHandlers
from socketio_cluster.manager.queries.steps import FirstStep


class EmitterCalls(Calls, FirstStep[Broadcast]):
    """What an emitter has: it serves no clients, and hears no events of servers."""

    def _everybody(self) -> Broadcast:
        return Broadcast(self)


class ClusterCalls(EmitterCalls, ServerHandlers):
    """What a manager and a server have."""
