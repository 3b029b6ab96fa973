"""Applications for the tests of the test cluster."""

from __future__ import annotations

from contextlib import asynccontextmanager

import socketio
from fastapi import FastAPI

from socketio_cluster import ClusterManager

sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())
app = socketio.ASGIApp(sio)

SEEN = ("QUERY_STRING", "HTTP_USER_AGENT", "HTTP_HOST", "REMOTE_ADDR")


def make_server(kind=socketio.AsyncServer, *, url=None, serializer="default", **options):
    """A server whose clients are in one room, and whose events tell what they got."""
    made = kind(async_mode="asgi", client_manager=ClusterManager(url, **options), serializer=serializer)
    for namespace in ("/", "/chat"):
        made.on("connect", lambda *_: None, namespace=namespace)

    @made.event
    async def connect(sid, environ, auth):
        seen = {name: environ.get(name) for name in SEEN}
        await made.save_session(sid, {"auth": auth, **seen})
        await made.enter_room(sid, "all")

    @made.event
    async def tell(sid, *args):
        await made.emit("told", args, room="all", skip_sid=sid)
        return args

    @made.event
    async def ask(sid, other, question):
        return await made.call("asked", question, to=other)

    @made.event
    async def silent(sid):
        await made.sleep(3600)

    @made.event
    async def kick(sid, other):
        await made.disconnect(other)

    return made


def make_app(*args, **options):
    """The ASGI application of such a server."""
    return socketio.ASGIApp(make_server(*args, **options))


def make_api(log, *, fails=False):
    """FastAPI with Socket.IO below a path; ``log`` is told of its lifespan."""
    server = make_server()

    @asynccontextmanager
    async def lifespan(api):
        if fails:
            raise OSError("no database")
        log.append("up")
        yield
        log.append("down")

    api = FastAPI(lifespan=lifespan)

    @api.post("/news/{title}")
    async def news(title: str):
        await server.emit("news", title)

    api.mount("/ws", socketio.ASGIApp(server))
    return api
