"""An application whose workers count, each for itself, for everybody."""

from __future__ import annotations

import asyncio
import os
from importlib.util import find_spec

import socketio

import socketio_cluster

NEW = find_spec("socketio_cluster.manager.bridge") is not None
"""Whether this worker runs the present release. The last one has no bridge."""

manager = socketio_cluster.ClusterManager()
sio = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=manager)


@sio.event
def who(sid):
    return [NEW, os.getpid()]


async def count():
    number = 0
    while True:
        number += 1
        await sio.emit("tick", (manager.node_id, number))
        await asyncio.sleep(0.01)


async def start():
    app.counting = asyncio.create_task(count())


app = socketio.ASGIApp(sio, on_startup=start)
