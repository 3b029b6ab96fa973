"""What the servers under test do; their modules choose the server."""

from __future__ import annotations

from socketio_cluster import AsyncServer, ClusterManager, Refused


def make(async_mode):
    """A server of a cluster that the environment names, with its handlers."""
    manager = ClusterManager()
    sio = AsyncServer(async_mode=async_mode, client_manager=manager)

    @sio.middleware
    async def guard(sid, event, args):
        if event == "forbidden":
            raise Refused("forbidden here")

    @sio.event
    async def join(sid, room):
        await sio.enter_room(sid, room)
        return room

    @sio.event
    async def say(sid, room, words):
        await sio.emit("said", words, room=room, skip_sid=sid)

    @sio.event
    async def ask(sid, other, question):
        return await sio.call("asked", question, to=other, timeout=5)

    @sio.event
    async def kick(sid, other):
        await sio.disconnect(other)

    @sio.event
    async def nodes(sid):
        return len(manager.nodes())

    @sio.event
    async def disconnect(sid, reason):
        await sio.emit("left", sid)

    return sio
