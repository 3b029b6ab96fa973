"""Reactions, for a page in React: python -m socketio_cluster serve examples.react.app:app --workers 2"""

from __future__ import annotations

import os
from pathlib import Path

import socketio

from socketio_cluster import AsyncServer, ClusterManager, Refused

BUILT = Path(__file__).parent / "page" / "dist"
REACTIONS = ("heart", "star", "laugh")  # the page has the same
NODE = os.environ.get("CLUSTER_NODE_NAME", "node")

if not BUILT.exists():
    raise SystemExit("the page is not built: run npm install and npm run build in examples/react/page")

# A tab whose connection is lost for up to two minutes misses no reaction.
sio = AsyncServer(async_mode="asgi", client_manager=ClusterManager(recovery_seconds=120))


@sio.event
async def connect(sid, environ, auth):
    await sio.emit("node", NODE, to=sid)


@sio.event
async def react(sid, reaction=None):
    """Show a reaction to everybody, wherever they are."""
    if reaction not in REACTIONS:
        raise Refused(f"{reaction!r:.40} is no reaction")
    await sio.emit("reaction", {"reaction": reaction, "node": NODE})
    return {}


app = socketio.ASGIApp(sio, static_files={"/": str(BUILT / "index.html"), "/assets": str(BUILT / "assets")})
