"""Any node answers any request: see ``forwarder`` for the asking side, ``listener`` for the answering one."""

from socketio_cluster.cluster.forward.forwarded_request import ForwardStats
from socketio_cluster.cluster.forward.forwarding import Forwarding
from socketio_cluster.cluster.http.websocket import RelayProtocol

__all__ = ["ForwardStats", "Forwarding", "RelayProtocol"]
