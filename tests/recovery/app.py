"""The application of a served cluster in these tests: clients join rooms, and anybody emits to them."""

from __future__ import annotations

import os

import socketio

from socketio_cluster import ClusterManager, PlainWebSockets

manager = ClusterManager()
loud = "TEST_LOUD" in os.environ
"""Whether all packets are logged."""
sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager, logger=loud, engineio_logger=loud)
app = socketio.ASGIApp(sio)


@sio.event
async def join(sid, room):
    await sio.enter_room(sid, room)
    return os.getpid()


@sio.event
async def take_out(sid, other, room):
    await sio.leave_room(other, room)
    return True


@sio.event
async def remember(sid, data):
    await sio.save_session(sid, data)
    return True


@sio.event
async def recall(sid):
    return [await sio.get_session(sid), sorted(sio.rooms(sid)), manager.recovered(sid)]


@sio.event
async def tell(sid, room, number):
    await sio.emit("told", number, room=room)
    return True


with_plain = PlainWebSockets(sio, app)
