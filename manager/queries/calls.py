"""All that the manager and the server have to ask and tell the cluster."""

from __future__ import annotations

from socketio_cluster.manager.queries.broadcast import Broadcast, ClientCalls
from socketio_cluster.manager.queries.server_calls import ServerEmits, ServerHandlers
from socketio_cluster.manager.queries.steps import FirstStep


class ClusterCalls(ClientCalls, FirstStep[Broadcast], ServerEmits, ServerHandlers):
    """What concerns the clients of all nodes, and the servers themselves."""

    def _everybody(self) -> Broadcast:
        return Broadcast(self)
