"""The application for ASGI servers whose workers share a port."""

from __future__ import annotations

import os

import socketio

from socketio_cluster import AnyNode, ClusterManager

manager = ClusterManager()
sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager, cors_allowed_origins="*")
AnyNode(manager)
app = socketio.ASGIApp(sio, on_startup=manager.start, on_shutdown=sio.shutdown)


@sio.event
async def join(sid, room):
    await sio.enter_room(sid, room)
    return room


@sio.event
async def say(sid, room, words):
    await sio.emit("said", words, room=room)


@sio.event
async def where(sid):
    return [manager.node_id, os.getpid(), sio.transport(sid), len(manager.nodes())]
