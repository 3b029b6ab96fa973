"""The server of this project; the bus is the one of ``socketio-cluster serve``, or the URL in CLUSTER_BUS."""

from __future__ import annotations

import socketio

from socketio_cluster import ClusterManager
from socketio_cluster.loadtest.targets.events import new_server

sio = new_server("ours", ClusterManager())
app = socketio.ASGIApp(sio, on_shutdown=sio.shutdown)
