"""Who is online, in three rooms: python -m socketio_cluster serve examples.presence.app:app --workers 3"""

from __future__ import annotations

import os
from pathlib import Path

import socketio

import socketio_cluster
from socketio_cluster import AsyncServer, ClusterManager, Refused

HERE = Path(__file__).parent
CLIENT = Path(socketio_cluster.__file__).parent / "cluster" / "demo" / "static" / "socket.io.min.js"
FILES = {f"/{name}": str(HERE / "page" / name) for name in ("style.css", "app.js", "presence.js")}
ROOMS = ("garden", "kitchen", "library")  # the page has the same
NODE = os.environ.get("CLUSTER_NODE_NAME", "node")

sio = AsyncServer(async_mode="asgi", client_manager=ClusterManager())


@sio.event
async def connect(sid, environ, auth):
    """Let everybody see who is where, without being anywhere."""
    for room in ROOMS:
        await sio.presence.watch(sid, room)
    await sio.emit("node", NODE, to=sid)


@sio.event
async def enter(sid, room=None, name=None, mood="here"):
    """Be present in a room; once more with another mood changes it. A name in two tabs is one person."""
    if room not in ROOMS:
        raise Refused(f"there is no room {room!r:.40}")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 24 or not name.isprintable():
        raise Refused("a name has 1 to 24 characters")
    if mood not in ("here", "busy"):
        raise Refused("you are here, or busy")
    await sio.presence.track(sid, room, key=name.strip(), meta={"node": NODE, "mood": mood})
    return {}


@sio.event
async def leave(sid, room=None):
    if room in ROOMS:
        await sio.presence.untrack(sid, room)
    return {}


@sio.presence.on_join
async def joined(room, key, meta):
    print(f"{key} is in the {room} now", flush=True)  # on one of the nodes, once


@sio.presence.on_leave
async def left(room, key, meta):
    print(f"{key} has left the {room}", flush=True)


pages = {"/": str(HERE / "page" / "index.html"), "/socket.io.min.js": str(CLIENT), **FILES}
app = socketio.ASGIApp(sio, static_files=pages)
