"""A FastAPI application that serves Socket.IO below paths of its own, each time in another way."""

import socketio
from fastapi import FastAPI

from socketio_cluster import ClusterManager

sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager(), namespaces="*")


@sio.event
async def say(sid, text):
    await sio.emit("said", text)


app = FastAPI()


@app.get("/hello")
async def hello() -> str:
    return "hello"


app.mount("/ws", socketio.ASGIApp(sio))
app.mount("/plain", socketio.ASGIApp(sio, socketio_path=""))
inner = FastAPI()
inner.mount("/deep", socketio.ASGIApp(sio))
app.mount("/v1", inner)
