"""The fast way to WebSocket clients; see ``connection``."""

from socketio_cluster.cluster.lane.lanes import Lanes
from socketio_cluster.cluster.lane.protocol import LaneProtocol

__all__ = ["LaneProtocol", "Lanes"]
