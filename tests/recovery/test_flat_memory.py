"""What the bus keeps for recovery goes, when its time is over: its memory does not grow with time."""

from __future__ import annotations

import asyncio
import sys

import pytest
from redis.asyncio import Redis

from socketio_cluster.manager.brokers.hub import Hub
from socketio_cluster.manager.recovery.times import Times
from tests.harness import eventually, three_nodes
from tests.recovery.swarm import said, swarm
from tests.services.redis import RedisServer

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a swarm needs Linux")

CLIENTS = 100
EVENTS = 400
ROUNDS = 2
PATIENCE = 60
"""Seconds, for a machine that does other things too."""


class RedisKeeps:
    """A Redis of the test's own."""

    left = 4
    """The keys that stay for long: the place in the order, and the number of each node's last event."""

    def __init__(self, folder):
        self._server = RedisServer(folder)

    async def __aenter__(self):
        self.url = self._server.__enter__().url
        self._redis = Redis.from_url(self.url)
        return self

    async def __aexit__(self, *_):
        await self._redis.aclose()
        self._server.__exit__()

    async def things(self):
        """How many keys there are."""
        return await self._redis.dbsize()

    async def size(self):
        """The bytes that are used."""
        return (await self._redis.info("memory"))["used_memory"]


class HubKeeps:
    """A hub in the loop of the test."""

    left = 2
    """The number of each node's last event."""

    def __init__(self, folder):
        self.url = f"local://{folder / 'bus.sock'}"
        self._hub = Hub(str(folder / "bus.sock"))

    async def __aenter__(self):
        await self._hub.__aenter__()
        return self

    async def __aexit__(self, *_):
        await self._hub.__aexit__()

    def _kept(self):
        (memory,) = self._hub.channels._memories._memories.values()
        return memory._history, memory._sessions

    async def things(self):
        """How many events, channels with events, senders, sessions and closed rooms there are."""
        history, sessions = self._kept()
        books = history._events, history._numbers, history._channels, history._senders
        return sum(map(len, (*books, sessions, sessions._closed._closed)))

    async def size(self):
        """The bytes of all events."""
        return self._kept()[0].size


@pytest.fixture(params=[HubKeeps, RedisKeeps])
async def kept(request, tmp_path):
    async with request.param(tmp_path) as one:
        yield one


async def come_and_go(a, b):
    """Let clients come, enter rooms, get events, and be cut off for ever."""
    with swarm(CLIENTS) as clients:
        for index, client in enumerate(clients):
            client.connect((a, b)[index % 2])
        await eventually(lambda: all(client.sid for client in clients), PATIENCE)
        for client in clients:
            await a.sio.enter_room(client.sid, f"room of {client.sid}")
        for number in range(1, EVENTS + 1):
            await b.sio.emit("said", said(number))
            await a.sio.emit("unheard", "x" * 500, room=f"nobody's {number}")
        await eventually(lambda: all(client.has(EVENTS) for client in clients), PATIENCE)
        for client in clients[::2]:
            await b.sio.close_room(f"room of {client.sid}")
        for client in clients:
            client.cut()


async def until_gone(kept):
    """Wait until the bus keeps no session and no event."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while await kept.things() > kept.left:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    return await kept.size()


async def test_it_is_flat(kept, prefix, monkeypatch):
    """Hundreds of sessions and thousands of events come and go, and the bus has what it had before."""
    monkeypatch.setattr("socketio_cluster.manager.recovery.times.SLACK", 0.0)
    monkeypatch.setattr("socketio_cluster.manager.recovery.recovery.Times", lambda away, ping: Times(away, 1))
    async with three_nodes(kept.url, prefix, count=2, recovery_seconds=1) as (a, b):
        sizes = []
        for _ in range(2):
            for _ in range(ROUNDS):
                await come_and_go(a, b)
            assert await kept.things() > EVENTS
            assert await kept.size() > 500 * EVENTS
            sizes.append(await until_gone(kept))
        assert sizes[1] <= sizes[0] + 100_000
