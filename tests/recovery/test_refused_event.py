"""An event of less than a megabyte that is too large for its client, which says so by close code 1009."""

from __future__ import annotations

import contextlib
import json

import pytest
import websockets

from socketio_cluster.manager.recovery.replay import TRIES
from tests.bare_sessions import raw_websocket
from tests.recovery.clients import left
from tests.recovery.python_clients import own_client

TOO_BIG = 1009
LIMIT = 50_000


class Bare:
    """A client that never gets past the first event that it has missed."""

    def __init__(self):
        self.auth = {"pid": "none yet"}
        self.sid = None

    async def come(self, node, *, code=None):
        """Connect, get what was missed first, then close with a code or break off. Returns the event's name.

        The first time, and when it is not recovered, that is an event of our own.
        """
        async with raw_websocket(node) as ws:
            await ws.send("40" + json.dumps(self.auth))
            welcome = json.loads((await ws.recv())[2:])
            self.sid, pid = welcome["sid"], welcome["pid"]
            recovered = pid == self.auth["pid"]
            if not recovered:
                await node.sio.emit("fresh", to=self.sid)
            event, *_, offset = json.loads((await ws.recv())[2:])
            if not recovered:
                self.auth = {"pid": pid, "offset": offset}
            if code is None:
                ws.transport.abort()
            else:
                await ws.close(code)
        await left(node, self.sid)
        return event


@pytest.mark.parametrize("code", [None, 1000, 1001, 1011, TOO_BIG])
async def test_by_close_code(nodes, code):
    """Only a client that says again and again that the same event is too large has to begin anew."""
    a, b, c = nodes
    client = Bare()
    await client.come(a)
    sid = client.sid
    await c.sio.emit("large", "x" * LIMIT, to=sid)
    await c.sio.emit("after", to=sid)
    for times in range(TRIES):
        assert await client.come((a, b)[times % 2], code=code) == "large"
    if code != TOO_BIG:
        for _ in range(2 * TRIES):
            assert await client.come(b, code=code) == "large"
        assert client.sid == sid
        return
    with pytest.raises(websockets.ConnectionClosed):
        await client.come(b)
    assert await client.come(b) == "fresh"
    assert client.sid != sid
    outcomes = a.manager.stats.recoveries + b.manager.stats.recoveries
    assert outcomes == {"recovered": TRIES + 1, "large": 1, "unknown": 2}


async def test_one_that_is_taken_in_the_end(nodes):
    """What a client has refused before counts no more when it has got past that."""
    a, _, c = nodes
    client = Bare()
    await client.come(a)
    sid = client.sid
    for number in range(2 * TRIES):
        await c.sio.emit(f"large {number}", "x" * LIMIT, to=sid)
    for number in range(2 * TRIES):
        for _ in range(TRIES - 1):
            assert await client.come(a, code=TOO_BIG) == f"large {number}"
        async with contextlib.AsyncExitStack() as stack:
            ws = await stack.enter_async_context(raw_websocket(a))
            await ws.send("40" + json.dumps(client.auth))
            await ws.recv()
            client.auth["offset"] = json.loads((await ws.recv())[2:])[-1]
        await left(a, sid)
    assert client.sid == sid


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_a_client_with_a_limit(nodes, door):
    """So does python-socketio's client with a limit of its own, for an event of any size."""
    a, b, c = nodes
    options = {"websocket_extra_options": {"max_msg_size": LIMIT}}
    async with own_client("AsyncClient", door, **options) as client:
        sid = client.sid
        await c.sio.emit("large", "x" * LIMIT)
        for times in range(TRIES + 1):
            door.lead((b, a)[times % 2])
            assert await client.came_back() is True
        assert await client.came_back() is False
        assert client.sid != sid
        await c.sio.emit("after", 2)
        await client.take(("after", 2))
