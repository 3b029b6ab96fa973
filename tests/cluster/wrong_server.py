"""A threaded server with the manager of one on asyncio."""

import socketio

from socketio_cluster import ClusterManager

sio = socketio.Server(async_mode="threading", client_manager=ClusterManager())
app = socketio.WSGIApp(sio)
