"""What a server must answer (docs/loadtest-protocol.md), for servers written with python-socketio."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

import socketio

NODE = (
    os.environ.get("LOADTEST_NODE")
    or os.environ.get("CLUSTER_NODE_NAME")
    or f"{socket.gethostname()}-{os.getpid()}"
)
TOKEN = os.environ.get("LOADTEST_TOKEN")


def new_server(kind: str, manager: Any) -> socketio.AsyncServer:
    """Give a server that answers in every namespace; ``kind`` is what it calls itself in ``welcome``."""
    # One client's events are handled in turn: otherwise its messages could overtake each other in here.
    sio = socketio.AsyncServer(
        async_mode="asgi", client_manager=manager, namespaces="*", async_handlers=False
    )

    async def welcome(namespace: str, sid: str) -> None:
        # python-socketio would send what is emitted in the connect handler before the connect packet.
        while sio.manager.is_pre_connected(sid, namespace):
            await sio.sleep(0)
        data = {"sid": sid, "node": NODE, "server": kind}
        # A welcome is of its connection: one that was missed must not be replayed on the next.
        await sio.emit("welcome", data, to=sid, namespace=namespace, ignore_queue=True)

    @sio.on("connect", namespace="*")  # type: ignore[untyped-decorator]
    async def connect(namespace: str, sid: str, environ: dict[str, Any], auth: Any) -> None:
        if TOKEN and (not isinstance(auth, dict) or auth.get("token") != TOKEN):
            raise socketio.exceptions.ConnectionRefusedError("wrong token")
        sio.start_background_task(welcome, namespace, sid)

    @sio.on("clock", namespace="*")  # type: ignore[untyped-decorator]
    async def clock(namespace: str, sid: str) -> float:
        return time.time()

    @sio.on("echo", namespace="*")  # type: ignore[untyped-decorator]
    async def echo(namespace: str, sid: str, payload: Any) -> Any:
        return payload

    @sio.on("join", namespace="*")  # type: ignore[untyped-decorator]
    async def join(namespace: str, sid: str, room: str) -> bool:
        await sio.enter_room(sid, room, namespace=namespace)
        return True

    @sio.on("leave", namespace="*")  # type: ignore[untyped-decorator]
    async def leave(namespace: str, sid: str, room: str) -> bool:
        await sio.leave_room(sid, room, namespace=namespace)
        return True

    @sio.on("say", namespace="*")  # type: ignore[untyped-decorator]
    async def say(namespace: str, sid: str, order: dict[str, Any]) -> bool:
        skip = sid if order["skip"] else None
        await sio.emit("said", order["data"], room=order["room"], skip_sid=skip, namespace=namespace)
        return True

    @sio.on("tell", namespace="*")  # type: ignore[untyped-decorator]
    async def tell(namespace: str, sid: str, order: dict[str, Any]) -> bool:
        await sio.emit("said", order["data"], to=order["to"], namespace=namespace)
        return True

    return sio
