"""The demo's server: a chat with rooms, whose members may be on different nodes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import socketio

from socketio_cluster.cluster.demo.limits import Refused, clean_name, clean_room, clean_text
from socketio_cluster.manager.client_manager import ClusterManager

STATIC = Path(__file__).parent / "static"
FILES = ("style.css", "app.js", "socket.io.min.js")
MOST_ROOMS = 12

NODE = os.environ.get("CLUSTER_NODE_NAME", "node")

manager = ClusterManager()
sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager)
app = socketio.ASGIApp(
    sio, static_files={"/": str(STATIC / "index.html"), **{f"/{name}": str(STATIC / name) for name in FILES}}
)

Reply = dict[str, Any]


@sio.on("connect")  # type: ignore[untyped-decorator]
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    """Accept every client; `auth` may contain a name: `{"name": "Ada"}`."""
    name = auth.get("name") if isinstance(auth, dict) else None
    try:
        name = clean_name(name)
    except Refused:
        name = "somebody"
    await sio.save_session(sid, {"name": name})


@sio.on("who")  # type: ignore[untyped-decorator]
async def who(sid: str) -> Reply:
    """Answer with the node that serves this client and the names of all live nodes."""
    nodes = sorted(node.name for node in manager.nodes().values())
    return {"node": NODE, "id": manager.node_id, "nodes": nodes}


@sio.on("join")  # type: ignore[untyped-decorator]
async def join(sid: str, room: Any) -> Reply:
    """Enter a room and tell its members."""
    try:
        room = clean_room(room)
    except Refused as refused:
        return {"error": str(refused)}
    if room not in _rooms(sid):
        if len(_rooms(sid)) >= MOST_ROOMS:
            return {"error": f"{MOST_ROOMS} rooms are enough: leave one first"}
        await sio.enter_room(sid, room)
        await _tell(sid, room, "notice", "joined")
    return {"room": room}


@sio.on("leave")  # type: ignore[untyped-decorator]
async def leave(sid: str, room: Any) -> Reply:
    """Leave a room and tell the members that stay."""
    if room in _rooms(sid):
        await sio.leave_room(sid, room)
        await _tell(sid, room, "notice", "left")
    return {"room": room}


@sio.on("say")  # type: ignore[untyped-decorator]
async def say(sid: str, room: Any, text: Any) -> Reply:
    """Send a text to a room of which the client is a member."""
    try:
        text = clean_text(text)
    except Refused as refused:
        return {"error": str(refused)}
    if room not in _rooms(sid):
        return {"error": "join the room before you talk there"}
    await _tell(sid, room, "message", text)
    return {"room": room}


@sio.on("disconnect")  # type: ignore[untyped-decorator]
async def disconnect(sid: str, reason: str) -> None:
    """Tell the rooms that somebody is gone."""
    for room in _rooms(sid):
        await _tell(sid, room, "notice", "left", skip_sid=sid)


async def _tell(sid: str, room: str, event: str, text: str, skip_sid: str | None = None) -> None:
    session = await sio.get_session(sid)
    told = {"room": room, "text": text, "name": session["name"], "node": NODE, "sid": sid}
    await sio.emit(event, told, room=room, skip_sid=skip_sid)


def _rooms(sid: str) -> list[str]:
    return [room for room in sio.rooms(sid) if room != sid]
