"""The cluster's own Python clients with other servers: the official one, and python-socketio's."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace

import pytest
import socketio
import uvicorn

from tests.harness import Server, eventually
from tests.recovery.door import Door
from tests.recovery.python_clients import own_client
from tests.strict.conftest import official_server


@pytest.fixture(params=["AsyncClient", "Client"])
def kind(request):
    return request.param


async def test_the_official_server(kind):
    """With its recovery, clients get what they missed, and see no offset."""
    with official_server(connectionStateRecovery={}) as server:
        async with Door(server) as door, own_client(kind, door) as client, own_client(kind, server) as other:
            sid = client.sid
            for number in range(3):
                await other.emit("all", "before", number)
                await client.take(("all", "before", number))
                door.cut()
                await client.away()
                await other.emit("all", "missed", b"\0", "text")
                door.lead(server)
                assert await client.came_back() is True
                assert client.sid == sid
                await client.take(("all", "missed", b"\0", "text"))
            assert client.events.empty()


async def test_the_official_server_without_recovery(kind):
    """Without it, they are new each time, and get events as they are."""
    with official_server() as server:
        async with Door(server) as door, own_client(kind, door) as client:
            for _ in range(2):
                await client.emit("all", "text", "abcdef12")
                await client.take(("all", "text", "abcdef12"))
                door.cut(server)
                assert await client.came_back() is False
            assert client.events.empty()


async def test_python_socketio(kind):
    """python-socketio's own server knows no recovery: clients are new each time."""
    sio = socketio.AsyncServer(async_mode="asgi")

    @sio.on("all")
    async def tell_all(sid, *args):
        await sio.emit("all", args)

    listener = socket.create_server(("127.0.0.1", 0))
    node = SimpleNamespace(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
    server = Server(uvicorn.Config(socketio.ASGIApp(sio), lifespan="off", log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await eventually(lambda: server.started)
    async with Door(node) as door, own_client(kind, door) as client:
        for _ in range(2):
            sid = client.sid
            await client.emit("all", "text", "abcdef12")
            await client.take(("all", "text", "abcdef12"))
            door.cut(node)
            assert await client.came_back() is False
            assert client.sid != sid
    server.should_exit = True
    await serving
    await sio.shutdown()
