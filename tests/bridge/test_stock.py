"""Clients of our nodes and of python-socketio's own servers are one cluster, with a bridge between them."""

from __future__ import annotations

import pytest


async def fence_all(both):
    """Check that no client was sent anything else, by any server, than it has taken."""
    for number, server in enumerate(both.all):
        await server.sio.emit("fence", number)
        for client in both.clients:
            assert await client.next("fence") == [number]


@pytest.mark.parametrize("emitter", range(4))
async def test_emit_to_all(both, emitter):
    """An emit of any server reaches each client of either cluster once."""
    await both.all[emitter].sio.emit("news", ({"price": 3}, [1, "ü"], None, b"\0\xff", {"in": [b"a"]}))
    for client in both.clients:
        assert await client.next("news") == [{"price": 3}, [1, "ü"], None, b"\0\xff", {"in": [b"a"]}]
    await fence_all(both)
