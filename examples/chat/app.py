"""A chat of plain WebSocket and Socket.IO users.

Start it with ``python -m socketio_cluster serve examples.chat.app:app --workers 2``.
"""

from __future__ import annotations

import os
from pathlib import Path

import socketio

import socketio_cluster
from examples.chat.people import People
from socketio_cluster import AsyncServer, ClusterManager, PlainWebSockets, Refused

HERE = Path(__file__).parent
CLIENT = Path(socketio_cluster.__file__).parent / "cluster" / "demo" / "static" / "socket.io.min.js"
FILES = {f"/{name}": str(HERE / "page" / name) for name in ("style.css", "app.js", "plain.js")}
ROOM = "chat"
NODE = os.environ.get("CLUSTER_NODE_NAME", "node")

manager = ClusterManager()
sio = AsyncServer(async_mode="asgi", client_manager=manager)
people = People(os.environ.get("CHAT_DB", str(HERE / "chat.sqlite")))


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


async def everybody():
    return await people.everybody(manager.nodes())


@sio.event
async def connect(sid, environ, auth):
    plain = environ["PATH_INFO"] == "/ws"
    await sio.save_session(sid, {"kind": "WebSocket" if plain else "Socket.IO", "name": None})
    await sio.emit("people", await everybody(), to=sid)


@sio.event
async def register(sid, name=None):
    name = clean(name, "a name", 24)
    if not name.isprintable():
        raise Refused("a name has only characters that can be seen")
    session = await sio.get_session(sid)
    if session["name"] is not None:
        raise Refused(f"you are {session['name']} already: unregister first")
    if not await people.add(name, sid, session["kind"], manager.nodes()):
        raise Refused(f"{name} is taken: choose another name")
    if not manager.is_connected(sid, "/"):  # left meanwhile, and its disconnect handler found no name yet
        await people.remove(sid)
        return None
    session["name"] = name
    await sio.enter_room(sid, ROOM)
    await tell("joined", name)
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
    session["name"] = None
    await sio.leave_room(sid, ROOM)
    await forget(sid)
    return {}


@sio.event
async def disconnect(sid, reason):
    await forget(sid)


async def forget(sid):
    name = await people.remove(sid)
    if name is not None:
        await tell("left", name)


async def tell(what, name):
    """Tell the room who came or went, and everybody who is there now."""
    await sio.emit(what, name, room=ROOM)
    await sio.emit("people", await everybody())


async def watch():
    """When a node has come or gone, show this node's clients who is left."""
    known = set(manager.nodes())
    while True:
        await sio.sleep(1)
        if known != (known := set(manager.nodes())):
            await sio.emit("people", await everybody(), ignore_queue=True)


async def start():
    sio.watching = sio.start_background_task(watch)


async def stop():
    sio.watching.cancel()


pages = {"/": str(HERE / "page" / "index.html"), "/socket.io.min.js": str(CLIENT), **FILES}
app = PlainWebSockets(sio, socketio.ASGIApp(sio, static_files=pages, on_startup=start, on_shutdown=stop))
