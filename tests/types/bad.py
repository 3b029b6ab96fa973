"""An application with mistakes: each line that ends in ``# wrong`` is one, and no other."""

from __future__ import annotations

from typing import Any

from socketio_cluster import AsyncServer, ClusterManager, Emitter, Server, SyncClusterManager
from socketio_cluster.testing import TestCluster

ClusterManager("redis://localhost", heartbeat="2")  # wrong
ClusterManager("redis://localhost", hartbeat=2)  # wrong
ClusterManager(6379)  # wrong
SyncClusterManager(secret=5)  # wrong
Emitter("redis://localhost", buffer_bytes="64M")  # wrong

sio = AsyncServer(async_mode="asgi", client_manager=ClusterManager())
threaded = Server(async_mode="threading", client_manager=SyncClusterManager())


@sio.on  # wrong
async def say(sid: str, words: str) -> None:
    await sio.emit(5)  # wrong
    await sio.emit("said", words, room=1.5)  # wrong
    await sio.emit("said", words, where="red")  # wrong
    await sio.emit("said", words, volatil=True)  # wrong
    await sio.call("really?", to=sid, timeout="5")  # wrong
    await sio.call("really?", to=5)  # wrong
    await sio.enter_room(sid, "lobby", history="all")  # wrong
    await sio.fetch_sockets("lobby", wher={"team": "red"})  # wrong
    sio.emit("said", words)  # wrong


@sio.event
async def add(sid: str, a: int, b: int) -> int:
    return a + b


@sio.event(namespace=5)  # wrong
async def connect(sid: str, environ: dict[str, Any]) -> None:
    await add(sid, 1, "2")  # wrong


sio.on("say", "say")  # wrong
sio.on(None, add)  # wrong


@threaded.event
def shout(sid: str, words: str) -> None:
    threaded.emit("said", words, skip_sid=5)  # wrong
    threaded.call(shout, to=sid)  # wrong


async def test_it() -> None:
    async with TestCluster("shop:app", node=2) as cluster:  # wrong
        await cluster.connect("1")  # wrong
