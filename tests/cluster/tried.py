"""The application of the tests of `serve`'s options: it says what it was told, and which way events come."""

from __future__ import annotations

import json
import os

import socketio

from socketio_cluster import ClusterManager

VERSION = 1

sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())


@sio.event
async def echo(sid, data):
    """Answer with the data, and what stands in the place of the queue of this client."""
    connection = sio.eio.sockets[sio.manager.eio_sid_from_sid(sid, "/")]
    return data, type(connection.queue).__name__


async def page(scope, receive, send):
    """Answer with what is known about this process and the request, as JSON."""
    if scope["type"] == "lifespan":
        for part in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{part}.complete"})
        return
    known = {"pid": os.getpid(), "version": VERSION, "scheme": scope["scheme"]}
    known |= {name: os.environ.get(name) for name in ("FROM_FILE", "WON", "CLUSTER_SSL_KEYFILE_PASSWORD")}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(known).encode()})


app = socketio.ASGIApp(sio, page)


def make():
    """What `--factory` calls."""
    return app
