"""An event that is larger than its client can take: the client closes the connection each time it comes."""

from __future__ import annotations

from socketio_cluster.manager.recovery.replay import LARGE, TRIES
from tests.recovery.clients import left
from tests.recovery.python_clients import own_client

LIMIT = 4 * 1024 * 1024
"""What aiohttp takes at most, and so python-socketio's AsyncClient."""


async def test_a_client_that_cannot_take_it_begins_anew(nodes, door, caplog):
    """After some returns, to whichever node, its session ends, and it is told so."""
    a, b, c = nodes
    async with own_client("AsyncClient", door) as client:
        sid = client.sid
        await c.sio.emit("before", 1)
        await client.take(("before", 1))
        await c.sio.emit("for others", "x" * LARGE, skip_sid=sid)
        await c.sio.emit("large", "x" * LIMIT)
        for times in range(TRIES + 1):
            door.lead((b, a)[times % 2])
            assert await client.came_back() is True
            assert client.sid == sid
        assert await client.came_back() is False
        assert client.sid != sid
        await c.sio.emit("after", 2)
        await client.take(("after", 2))
    outcomes = a.manager.stats.recoveries + b.manager.stats.recoveries
    assert outcomes == {"recovered": TRIES + 1, "large": 1, "unknown": 1}
    assert f"client {sid} is cut off each time by an event of" in caplog.text


async def test_a_client_that_can_take_it(nodes, door):
    """One that is cut off now and then before it has read such an event gets it, also after smaller ones."""
    a, b, _ = nodes
    async with own_client("AsyncClient", door) as client:
        for number in range(2 * TRIES):
            door.cut()
            await left((a, b)[number % 2], client.sid)
            await a.sio.emit("small", number)
            await a.sio.emit("large", "x" * LARGE)
            await a.sio.emit("large", number)
            door.lead((b, a)[number % 2])
            assert await client.came_back() is True
            await client.take(("small", number), ("large", "x" * LARGE), ("large", number))
        await client.fence(a)
