"""The application of the limits' tests: echoes, and enters the rooms that clients ask for."""

from __future__ import annotations

import socketio

import socketio_cluster

sio = socketio.AsyncServer(async_mode="asgi", client_manager=socketio_cluster.ClusterManager())
app = socketio.ASGIApp(sio)


@sio.event
async def join(sid, room):
    """Answer None, or why not."""
    try:
        await sio.enter_room(sid, room)
    except socketio_cluster.TooManyRooms as error:
        return str(error)
