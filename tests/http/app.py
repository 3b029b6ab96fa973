"""An application that takes large messages, and notes in the file TEST_DIARY that its lifespan has ended."""

from __future__ import annotations

import os
from pathlib import Path

import socketio

from socketio_cluster import ClusterManager
from socketio_cluster.cluster.plain import PlainWebSockets

LARGE = 24 * 1024 * 1024

sio = socketio.AsyncServer(
    async_mode="asgi", client_manager=ClusterManager(client_bytes=4 * LARGE), max_http_buffer_size=LARGE
)


@sio.event
async def size(sid, data):
    """Say how much has come."""
    return len(data)


@sio.event
async def cookie(sid):
    """Say how long the cookie is that the client has connected with."""
    return len(sio.get_environ(sid)["HTTP_COOKIE"])


def note_shutdown():
    """Say that the lifespan has come to its end."""
    Path(os.environ["TEST_DIARY"]).write_text("shutdown")


app = PlainWebSockets(sio, socketio.ASGIApp(sio, on_shutdown=note_shutdown))
