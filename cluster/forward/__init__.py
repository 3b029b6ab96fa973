"""Any node answers any request: see ``forwarder`` for the asking side, ``listener`` for the answering one."""

from cluster.forward.forwarding import Forwarding
from cluster.forward.stats import ForwardStats
from cluster.forward.way_out import RelayProtocol

__all__ = ["ForwardStats", "Forwarding", "RelayProtocol"]
