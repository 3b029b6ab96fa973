"""How soon a node is back on a bus that was away, and how often it tries until then."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster.manager.bus import backoff
from tests.harness import eventually, three_nodes
from tests.outage.conftest import SERVERS
from tests.outage.test_bus_away import in_thread

AWAY = 3
"""Seconds."""
FIRST, PAUSE = 4, 0.4
"""A few tries come within a second. Later pauses have so many seconds at least."""


async def accepts(port):
    """Return the time at which a port accepts a connection."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return asyncio.get_running_loop().time()
        await asyncio.sleep(0.01)


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["redis", "amqp", "nats"])
async def test_soon_and_without_haste(kind, tmp_path, prefix, monkeypatch):
    """A node is back a second after its bus accepts connections, or little more when the machine is busy, and
    tries about twice a second until then.
    """
    tries = []

    def counted(attempt, chance, longest):
        if longest == backoff.AWAY:
            tries.append(attempt)
        return backoff.delay(attempt, chance, longest)

    monkeypatch.setattr("socketio_cluster.manager.bus.reconnecting.delay", counted)
    with SERVERS[kind](tmp_path) as server:
        async with three_nodes(server.url, prefix, count=1) as (node,):
            clock = asyncio.get_running_loop().time
            stopped = clock()
            await in_thread(server.stop)
            await eventually(lambda: not node.manager.ready)
            await asyncio.sleep(AWAY)
            assert FIRST <= len(tries) <= FIRST + (clock() - stopped) / PAUSE
            starting = asyncio.create_task(in_thread(server.start))
            accepted = await accepts(server.port)
            await eventually(lambda: node.manager.ready)
            back = clock() - accepted
            await starting
            assert back < 2
