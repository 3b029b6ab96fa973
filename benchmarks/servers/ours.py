"""The server of this project."""

from __future__ import annotations

import socketio

from benchmarks.servers.handlers import add_handlers
from socketio_cluster import ClusterManager

sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())
add_handlers(sio)
app = socketio.ASGIApp(sio)
