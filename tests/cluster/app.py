"""The application of the supervisor's tests: says who serves, and misbehaves when asked to."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import socketio

from socketio_cluster import ClusterManager

NODE = os.environ["CLUSTER_NODE_NAME"]


def note(what: str) -> None:
    """Append to the diary that the test reads, if there is one."""
    if diary := os.environ.get("TEST_DIARY"):
        with Path(diary).open("a") as file:
            file.write(f"{what} {NODE} {os.getpid()}\n")


def block():
    """What no event loop should ever meet."""
    time.sleep(60)


def settings():
    """What the manager was told, and what everybody may see of this process, as JSON."""
    options = sio.manager.options
    seen = [*os.environ.values(), *sys.orig_argv]
    if sys.platform == "linux":
        seen += [Path("/proc/self", name).read_bytes().decode() for name in ("environ", "cmdline")]
    names = ("url", "recovery_url", "secret", "prefix")
    return json.dumps({"seen": seen, **{name: getattr(options, name) for name in names}})


async def http(scope, receive, send):
    """Answer with `node pid`, and /settings with what is known here; /block stops the loop for a minute."""
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["path"] == "/block":
        block()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    text = settings() if scope["path"] == "/settings" else f"{NODE} {os.getpid()}"
    await send({"type": "http.response.body", "body": text.encode()})


async def lifespan(receive, send):
    """Note start and stop; TEST_LIFESPAN makes either of them go wrong."""
    wrong = os.environ.get("TEST_LIFESPAN")
    await receive()
    note("start")
    failed = ".failed" if wrong == "fail" else ".complete"
    await send({"type": f"lifespan.startup{failed}", "message": "no database"})
    await receive()
    note("stop")
    if wrong == "hang":
        await asyncio.sleep(60)
    await send({"type": "lifespan.shutdown.complete"})


note("import")
sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())
app = socketio.ASGIApp(sio, http)
number = 7
