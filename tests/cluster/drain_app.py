"""The application of the drain's tests: tells everybody a growing number, and notes what each was sent."""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

import socketio

from socketio_cluster import ClusterManager, PlainWebSockets

NODE = os.environ["CLUSTER_NODE_NAME"]
PAUSE = float(os.environ.get("TEST_PAUSE", "0.02"))
manager = ClusterManager()
sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager, cors_allowed_origins="*")
number = 0
VERSION = 0


def note(*words: object) -> None:
    """Append a line to the diary that the test reads."""
    with Path(os.environ["TEST_DIARY"]).open("a") as file:
        print(*words, file=file)


@sio.event
async def connect(sid, environ):
    """Say which numbers are due: those after this one."""
    await sio.emit("begin", number, to=sid)


@sio.event
async def disconnect(sid, reason):
    """Note the last number that this client was sent."""
    note(sid, number, reason)


@sio.event
async def burst(sid, count):
    """Send many kilobytes at once, so that some of it waits."""
    for index in range(count):
        await sio.emit("piece", [index, 1024 * "x"], to=sid)


@sio.event
async def draining(sid):
    """How many nodes drain."""
    return sum(info.draining for info in manager.nodes().values())


@sio.event
async def echo(sid, data):
    """Give it back."""
    return data


async def tell():
    """Send everybody here the next number, again and again."""
    global number
    for number in itertools.count(1):
        await sio.emit("number", number, ignore_queue=True)
        await asyncio.sleep(PAUSE)


async def start():
    """Begin to tell."""
    app.telling = asyncio.create_task(tell())


async def http(scope, receive, send):
    """Answer every other request, and the app's own WebSocket until it ends."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    text = f"{NODE} {manager.node_id} {os.getpid()} {VERSION}"
    await send({"type": "http.response.body", "body": text.encode()})


app = PlainWebSockets(sio, socketio.ASGIApp(sio, http, on_startup=start), path="/plain")
