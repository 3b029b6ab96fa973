"""All that the manager and the server have to ask and tell the cluster."""

from __future__ import annotations

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.queries.ack_calls import AckCalls
from socketio_cluster.manager.queries.broadcast import Broadcast
from socketio_cluster.manager.queries.server_calls import ServerCalls
from socketio_cluster.manager.queries.socket_calls import SocketCalls


class ClusterCalls(SocketCalls, ServerCalls, AckCalls):
    """What concerns the clients of all nodes, and the servers themselves."""

    def to(self, *rooms: Room) -> Broadcast:
        """Begin to say whom an emit or a question is for: who is in any of these rooms."""
        return Broadcast(self).to(*rooms)

    def except_(self, *rooms: Room) -> Broadcast:
        """Begin with everybody but those in any of these rooms."""
        return Broadcast(self).except_(*rooms)

    def of(self, namespace: str) -> Broadcast:
        """Begin with everybody in a namespace."""
        return Broadcast(self).of(namespace)

    @property
    def volatile(self) -> Broadcast:
        """Begin with everybody who can take an event at once."""
        return Broadcast(self).volatile

    @property
    def local(self) -> Broadcast:
        """Begin with everybody on this node."""
        return Broadcast(self).local
