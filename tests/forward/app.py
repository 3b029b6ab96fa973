"""The application of the tests: clients talk in rooms, and ask where they are and who they seem to be."""

from __future__ import annotations

import os

import socketio

from socketio_cluster import ClusterManager

NODE = os.environ["CLUSTER_NODE_NAME"]
SHOWN = ("REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")

manager = ClusterManager()
sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager, cors_allowed_origins="*")


@sio.event
async def where(sid):
    """Which node, which process."""
    return [NODE, manager.node_id, os.getpid()]


@sio.event
async def seen(sid):
    """What the environ says of the client."""
    environ = sio.get_environ(sid)
    return {name: environ.get(name) for name in SHOWN} | {"client": environ["asgi.scope"]["client"]}


@sio.event
async def echo(sid, data):
    """Give it back."""
    return data


@sio.event
async def back(sid, data):
    """Give it back as an event."""
    await sio.emit("back", data, to=sid)


@sio.event
async def join(sid, room):
    """Enter a room."""
    await sio.enter_room(sid, room)
    return room


@sio.event
async def say(sid, room, text):
    """Tell everybody in a room, the speaker too."""
    await sio.emit("said", [room, text], room=room)


def polled(eio_sid):
    """Whether a poll waits for something to be sent to this session."""
    socket = sio.eio.sockets.get(eio_sid)
    if socket is None or socket.upgraded:
        return False
    return socket.queue.poll is not None or bool(socket.queue._getters)


async def http(scope, receive, send):
    """Answer anything else: who serves, how many sessions there are, and for /who/SID whether it polls."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        waits = polled(scope["path"].removeprefix("/who/"))
        body = f"{NODE} {manager.node_id} {os.getpid()} {len(sio.eio.sockets)} {waits}".encode()
        await send({"type": "http.response.body", "body": body})


app = socketio.ASGIApp(sio, http)
