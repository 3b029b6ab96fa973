"""A flood of events that the bus keeps: each event is late by what waits before it, so little may wait."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus.window import MOST
from tests.harness import SECONDS

TASKS, EACH = 20, 200


@pytest.mark.parametrize("bus_url", ["redis", "local"], indirect=True)
async def test_emits_wait_before_many_events_do(nodes):
    """Handlers that emit without a pause do not fill the buffer, and the bus gets all of their events."""
    node = nodes[0]
    publisher, most = node.manager.node.shards[0].publisher, 0
    for number in range(20):  # so that the round trip is known
        await node.sio.emit("n", number, room="red")
        assert await publisher.sent(publisher.number)

    async def emit():
        nonlocal most
        for number in range(EACH):
            await node.sio.emit("n", number, room="red")
            most = max(most, publisher.backlog.unsent)

    first = publisher.number
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*(emit() for _ in range(TASKS)))
        assert await publisher.sent(publisher.number)
    assert publisher.number - first >= TASKS * EACH
    assert most < MOST / 2
