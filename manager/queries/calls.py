"""All that the manager and the server have to ask and tell the cluster."""

from __future__ import annotations

from socketio_cluster.manager.queries.ack_calls import AckCalls
from socketio_cluster.manager.queries.server_calls import ServerCalls
from socketio_cluster.manager.queries.socket_calls import SocketCalls


class ClusterCalls(SocketCalls, ServerCalls, AckCalls):
    """What concerns the clients of all nodes, and the servers themselves."""
