"""The same Socket.IO server in front of Starlette and of Litestar."""

import socketio
from litestar import Litestar, get
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from socketio_cluster import ClusterManager

sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())


@sio.event
async def say(sid, text):
    await sio.emit("said", text)


@get("/hello")
async def hello() -> str:
    return "hello"


async def starlette_hello(request):
    return PlainTextResponse("hello")


litestar = socketio.ASGIApp(sio, Litestar([hello]))
starlette = socketio.ASGIApp(sio, Starlette(routes=[Route("/hello", starlette_hello)]))
