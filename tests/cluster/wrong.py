"""An application whose servers and emitters take no part in the cluster."""

import socketio

from socketio_cluster import ClusterManager

alone = socketio.AsyncServer(async_mode="asgi")
stock = socketio.AsyncServer(async_mode="asgi", client_manager=socketio.AsyncRedisManager("redis://nowhere"))
emitters = [socketio.RedisManager("redis://nowhere", write_only=True) for _ in range(2)]
ours = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())
app = socketio.ASGIApp(ours)
