"""Any node answers any request: see ``forwarder`` for the asking side, ``listener`` for the answering one."""

from socketio_cluster.cluster.forward.forwarding import Forwarding
from socketio_cluster.cluster.forward.relay_protocol import RelayProtocol
from socketio_cluster.cluster.forward.stats import ForwardStats

__all__ = ["ForwardStats", "Forwarding", "RelayProtocol"]
