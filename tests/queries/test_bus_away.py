"""Questions while the bus is away, and when it is back."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import PartialAnswer
from tests.harness import client, eventually, three_nodes
from tests.services.redis import RedisServer


@pytest.fixture
def own_redis(tmp_path):
    with RedisServer(tmp_path) as server:
        yield server


async def test_asked_when_the_bus_is_back(own_redis, prefix):
    """A question that waits for the bus is answered by all when it is back, and knows who has come."""
    async with three_nodes(own_redis.url, prefix, count=3, heartbeat=0.5) as nodes:
        async with client(nodes[1]), client(nodes[2]):
            own_redis.stop()
            await eventually(lambda: not any(node.manager.ready for node in nodes))
            asking = asyncio.create_task(nodes[0].sio.count(timeout=60))
            with pytest.raises(PartialAnswer) as caught:
                await nodes[0].sio.count(timeout=0.2)
            assert caught.value.away
            assert caught.value.missing == {node.manager.node_id for node in nodes[1:]}
            own_redis.start()
            assert await asyncio.wait_for(asking, 60) == 2
