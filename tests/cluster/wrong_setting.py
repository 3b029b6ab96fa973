"""An application with a setting that cannot work."""

from __future__ import annotations

import socketio

from socketio_cluster import ClusterManager

sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager(heartbeat=-1))
app = socketio.ASGIApp(sio)
