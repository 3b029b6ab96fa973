"""The smallest application: python -m socketio_cluster serve examples.hello.app:app"""

import socketio

from socketio_cluster import ClusterManager

sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())
app = socketio.ASGIApp(sio)


@sio.event
async def say(sid, text):
    await sio.emit("said", text)
