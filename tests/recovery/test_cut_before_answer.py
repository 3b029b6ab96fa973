"""The cluster's own Python clients try again at once when they are cut off before the answer to CONNECT."""

from __future__ import annotations

import asyncio

import pytest

from tests.recovery.door import Door
from tests.recovery.python_clients import own_client

AT_ONCE = 5
"""Seconds: far more than the tries take, far less than the wait for an answer."""


class DeafDoor(Door):
    """While ``deaf``, it lets a WebSocket open, and sets ``asked`` when CONNECT comes instead."""

    def __init__(self, node):
        super().__init__(node)
        self.deaf = False
        self.asked = asyncio.Event()

    async def _pass_on(self, reader, writer):
        if self.deaf and not writer.to_client:
            writer.write(await reader.read(65536))
            await reader.read(65536)
            self.asked.set()
            return
        await super()._pass_on(reader, writer)


@pytest.mark.parametrize("kind", ["AsyncClient", "Client"])
async def test_tries_again_at_once(nodes, kind):
    """Cut off three times between the opening and the answer, it is soon back, and has missed nothing."""
    async with DeafDoor(nodes[0]) as door:
        async with own_client(kind, door) as client:
            sid = client.sid
            await nodes[0].sio.emit("first", to=sid)
            await client.take(("first",))
            door.deaf = True
            door.cut(nodes[1])
            await nodes[2].sio.emit("missed", to=sid)
            for _ in range(3):
                await asyncio.wait_for(door.asked.wait(), AT_ONCE)
                door.asked.clear()
                door.cut(nodes[1])
            door.deaf = False
            door.cut(nodes[1])
            assert await asyncio.wait_for(client.came_back(), AT_ONCE) is True
            assert client.sid == sid
            await client.take(("missed",))
            await client.fence(nodes[0])
