"""The fast way to WebSocket clients; see ``connection``."""

from socketio_cluster.cluster.http.lane_protocol import LaneProtocol
from socketio_cluster.cluster.lane.install import Lanes

__all__ = ["LaneProtocol", "Lanes"]
