"""Clients that know recovery and clients that do not, side by side in one room."""

from __future__ import annotations

import contextlib

import pytest
import socketio

from tests.harness import SECONDS, eventually
from tests.recovery.clients import came_back, fence, left, take

EVENTS = [[1], ["text"], [b"bytes", "text"], [{"a": [b"x"]}], []]


@contextlib.asynccontextmanager
async def strict_client(node, serializer, got):
    """A python-socketio client whose handlers take just the arguments that were emitted, or fail."""
    client = socketio.AsyncClient(serializer=serializer, reconnection=False, handle_sigint=False)
    client.on("n0", lambda: got.append([]))
    client.on("n1", lambda one: got.append([one]))
    client.on("n2", lambda one, two: got.append([one, two]))
    await client.connect(node.url, transports=["websocket"], wait_timeout=SECONDS)
    try:
        yield client
    finally:
        await client.disconnect()


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_strict_handlers(nodes, door, connect, serializer):
    """One gets offsets and is recovered; the other gets what was emitted, live and from a room's history."""
    a, b, c = nodes
    client = await connect()
    got = []
    async with strict_client(a, serializer, got) as other:
        other_sid = other.get_sid()
        for sid in (client.sid, other_sid):
            await a.sio.enter_room(sid, "red")
        for args in EVENTS:
            await b.sio.emit(f"n{len(args)}", tuple(args), room="red")
        for args in EVENTS:
            await take(client, f"n{len(args)}", *args)
        await eventually(lambda: got == EVENTS)
        door.cut()
        await left(a, client.sid)
        for args in EVENTS:
            await b.sio.emit(f"n{len(args)}", tuple(args), room="red")
        door.lead(c)
        assert await came_back(client) is True
        for args in EVENTS:
            await take(client, f"n{len(args)}", *args)
        await eventually(lambda: got == EVENTS * 2)
        await a.manager.leave_room(other_sid, "/", "red")
        await a.manager.enter_room(other_sid, "/", "red", history=len(EVENTS))
        await eventually(lambda: got == EVENTS * 3)
        await fence(b, client)
