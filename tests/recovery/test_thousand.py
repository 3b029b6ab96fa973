"""A thousand clients that come back at once."""

from __future__ import annotations

import asyncio
import sys

import pytest

from socketio_cluster.manager.recovery.replay import AT_ONCE
from tests.harness import eventually, three_nodes
from tests.recovery.swarm import said, swarm

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a swarm needs Linux")

CLIENTS = 1000
MISSED = 30
PATIENCE = 120
"""Seconds, for a machine that does other things too."""


class Reads:
    """Counts how many pieces of history are read at the same time."""

    def __init__(self, keeper):
        self._read, keeper.read = keeper.read, self.read
        self.now = self.most = 0

    async def read(self, what):
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self._read(what)
        finally:
            self.now -= 1


async def test_they_are_served_in_turn(redis_url, prefix):
    """They are served a few at a time, while events go on for them and for those who were never away."""
    async with three_nodes(redis_url, prefix, count=2, recovery_seconds=60) as (a, b):
        reads = Reads(b.manager.recovery.keeper)
        with swarm(CLIENTS + 1) as (watcher, *crowd):
            for client in (watcher, *crowd):
                client.connect(b if client is watcher else a)
            await eventually(lambda: all(client.sid for client in (watcher, *crowd)), PATIENCE)
            sids = [client.sid for client in crowd]
            for client in crowd:
                client.cut()
            await eventually(lambda: not a.manager.members.clients, PATIENCE)
            for number in range(1, MISSED + 1):
                await a.sio.emit("said", said(number))
            for client in crowd:
                client.connect(b)
            number, under_way = MISSED, 0
            deadline = asyncio.get_running_loop().time() + PATIENCE
            while not all(client.has(number) for client in crowd):
                assert asyncio.get_running_loop().time() < deadline
                if not all(client.recovered for client in crowd) or number < MISSED + 10:
                    number += 1
                    await a.sio.emit("said", said(number))
                await asyncio.sleep(0.05)
                ready = sum(client.has(number) for client in crowd)
                under_way += watcher.has(number) and ready < CLIENTS
            assert [client.sid for client in crowd] == sids
            assert all(client.recovered for client in crowd)
            assert watcher.has(number)
            assert under_way >= 3  # the watcher was served before the last of the crowd
            assert 1 < reads.most <= AT_ONCE
            assert b.manager.stats.recoveries == {"recovered": CLIENTS}
