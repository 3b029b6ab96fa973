"""An application that uses what the package offers as it is meant: no checker has anything to say."""

from __future__ import annotations

import os
from typing import Any, assert_type

import socketio

from socketio_cluster import (
    AsyncClient,
    AsyncServer,
    ClusterManager,
    Emitter,
    Options,
    Refused,
    Server,
    SocketInfo,
    SyncClusterManager,
)
from socketio_cluster.testing import TestCluster

manager = ClusterManager(
    "redis://localhost", heartbeat=2, secret=os.environ.get("SECRET"), rooms_per_client=9
)
sio = AsyncServer(async_mode="asgi", client_manager=manager, cors_allowed_origins="*")
app = socketio.ASGIApp(sio)
assert_type(manager.options, Options)


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
    await sio.enter_room(sid, "lobby", history=10)


@sio.event(namespace="/chat")
async def say(sid: str, words: str) -> int:
    await sio.emit("said", words, room=["lobby", 5], skip_sid=sid, except_="away", where={"level >=": 3})
    await sio.emit("said", (words, b"\x00"), to=sid, volatile=True, namespace="/chat")
    return len(words)


@sio.on("say it loud")
async def loud(sid: str, words: str) -> str:
    answer = await sio.call("really?", words, to=sid, timeout=5)
    assert_type(await say(sid, answer), int)
    return words.upper()


def anything(event: str, sid: str, *args: Any) -> None:
    print(event, sid, args)


sio.on("*", anything)
sio.on("*", anything, namespace="*")


@sio.middleware
async def guard(sid: str, event: str, args: list[Any]) -> None:
    if event == "admin":
        raise Refused("not you", {"sid": sid})


async def ask() -> None:
    found = await sio.fetch_sockets("lobby", where={"team": "red"})
    assert_type(found, list[SocketInfo])
    async for one in sio.fetch_sockets(timeout=2):
        assert_type(one.sid, str)
    assert_type(await sio.count("lobby"), int)
    for answer in await sio.to("lobby").except_("away").timeout(0.5).emit_with_ack("ready?"):
        print(answer.sid, answer.data)


client = AsyncClient()


@client.event
async def said(words: str) -> None:
    await client.emit("thanks", words)


threaded = Server(async_mode="threading", client_manager=SyncClusterManager(prefix="shop", dead_after=9.5))


@threaded.on("say")
def say_on_threads(sid: str, words: str) -> None:
    threaded.emit("said", words, room="lobby", local=True)
    print(threaded.call("really?", to=sid))


with Emitter("redis://localhost", timeout=3, prefix="shop") as emitter:
    emitter.emit("news", {"price": 3}, room="lobby")


async def test_it() -> None:
    async with TestCluster("shop:app", nodes=2) as cluster:
        alice = await cluster.connect(1, auth={"name": "Alice"}, query={"v": "2"})
        await alice.emit("say", "hello", 3)
        print(await alice.receive("said", timeout=1), await alice.remaining(), alice.sid)
