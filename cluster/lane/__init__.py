"""The fast way to WebSocket clients; see ``connection``."""

from cluster.lane.lanes import Lanes
from cluster.lane.protocol import LaneProtocol

__all__ = ["LaneProtocol", "Lanes"]
