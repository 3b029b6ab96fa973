"""A chat of plain WebSocket and Socket.IO users.

Start it with ``python -m socketio_cluster serve examples.chat.app:app --workers 2``.
"""

from __future__ import annotations

import os
from pathlib import Path

import socketio

import socketio_cluster
from examples.chat.names import Names
from socketio_cluster import AsyncServer, ClusterManager, PlainWebSockets, Refused

HERE = Path(__file__).parent
CLIENT = Path(socketio_cluster.__file__).parent / "cluster" / "demo" / "static" / "socket.io.min.js"
FILES = {f"/{name}": str(HERE / "page" / name) for name in ("style.css", "app.js", "plain.js")}
FILES["/presence.js"] = str(HERE.parent / "presence" / "page" / "presence.js")
ROOM = "chat"
PEOPLE = "people"  # who is registered: everybody watches this room
NODE = os.environ.get("CLUSTER_NODE_NAME", "node")

manager = ClusterManager(recovery_seconds=60)
sio = AsyncServer(async_mode="asgi", client_manager=manager)
names = Names(os.environ.get("CHAT_DB", str(HERE / "chat.sqlite")))


def clean(value, what, most):
    """Text from a person, without needless spaces; refuses anything else with words for that person."""
    if not isinstance(value, str):
        raise Refused(f"{what} must be text")
    text = " ".join(value.split())
    if not 1 <= len(text) <= most:
        raise Refused(f"{what} has 1 to {most} characters, this one {len(text)}")
    return text


@sio.middleware
async def one_value(sid, event, args):
    if event != "connect" and len(args) > 1:
        raise Refused(f"{event} takes one value, not {len(args)}")


@sio.event
async def connect(sid, environ, auth):
    if environ["socketio.recovered"]:
        return  # It is where it was, but for the name, which its page registers again.
    plain = environ["PATH_INFO"] == "/ws"
    await sio.save_session(sid, {"kind": "WebSocket" if plain else "Socket.IO", "name": None})
    await sio.presence.watch(sid, PEOPLE)


@sio.event
async def register(sid, name=None):
    name = clean(name, "a name", 24)
    if not name.isprintable():
        raise Refused("a name has only characters that can be seen")
    session = await sio.get_session(sid)
    if session["name"] not in (None, name):
        raise Refused(f"you are {session['name']} already: unregister first")
    if not await names.take(name, sid, manager.node_id, manager.nodes()):
        if session["name"] is not None:  # it was away, and somebody else took the name
            await unregister(sid)
        raise Refused(f"{name} is taken: choose another name")
    if not manager.is_connected(sid, "/"):  # left meanwhile, and its disconnect handler found no name yet
        await names.free(sid, manager.node_id)
        return None
    await sio.save_session(sid, {**session, "name": name})
    await sio.enter_room(sid, ROOM)
    await sio.presence.track(sid, PEOPLE, key=name, meta={"kind": session["kind"]})
    return {"name": name, "node": NODE}


@sio.event
async def send(sid, text=None):
    session = await sio.get_session(sid)
    if session["name"] is None:
        raise Refused("register with a name first")
    said = {
        "name": session["name"],
        "kind": session["kind"],
        "node": NODE,
        "text": clean(text, "a message", 500),
    }
    await sio.emit("message", said, room=ROOM)
    return {}


@sio.event
async def unregister(sid, *_):
    session = await sio.get_session(sid)
    await sio.save_session(sid, {**session, "name": None})
    await sio.leave_room(sid, ROOM)
    await sio.presence.untrack(sid, PEOPLE)
    await names.free(sid, manager.node_id)
    return {}


@sio.event
async def disconnect(sid, reason):
    """Free the name at once. Others see the person go when nobody has come back with it in a few seconds."""
    await names.free(sid, manager.node_id)


@sio.presence.on_join
async def joined(room, name, meta):
    await sio.emit("joined", name, room=ROOM)


@sio.presence.on_leave
async def left(room, name, meta):
    await sio.emit("left", name, room=ROOM)


pages = {"/": str(HERE / "page" / "index.html"), "/socket.io.min.js": str(CLIENT), **FILES}
app = PlainWebSockets(sio, socketio.ASGIApp(sio, static_files=pages))
