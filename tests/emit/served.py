"""A supervisor with an emit port, and the application that its workers serve."""

from __future__ import annotations

import contextlib
import json

import socketio

from socketio_cluster import AsyncServer, ClusterManager
from tests.cluster.command import Command

TOKEN = "a-token-for-the-tests-of-this-folder"

sio = AsyncServer(async_mode="asgi", client_manager=ClusterManager())
app = socketio.ASGIApp(sio)


@sio.event
async def join(sid, room):
    """Put the client into a room."""
    await sio.enter_room(sid, room)


@sio.event(namespace="/clock")
async def connect(sid, environ):
    """Let everybody into this namespace too."""


@contextlib.contextmanager
def emitting(*options, workers=2, token=TOKEN, env=None):
    """A running supervisor; gives it with ``emit_url`` and, for each worker, a ``urls`` of its own."""
    env = {"CLUSTER_EMIT_TOKEN": token, **(env or {})}
    arguments = ("--port=0", "--direct-port=0", "--emit-port=0", "--probe-port=0", f"--workers={workers}")
    with Command("serve", "tests.emit.served:app", *arguments, *options, env=env) as command:
        command.urls = [direct for _, direct in command.nodes(workers).values()]
        command.emit_url = command.wait_for(r"POST /emit at (\S+)")[0][1]
        command.probes = command.wait_for(r"probes at (\S+)")[0][1]
        yield command


async def post(http, command, body, token=TOKEN):
    """The status, the headers and the JSON of an answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = json.dumps(body).encode() if isinstance(body, dict | list) else body
    async with http.post(f"{command.emit_url}/emit", data=data, headers=headers) as answer:
        return answer.status, answer.headers, await answer.json()
