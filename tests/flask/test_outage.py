"""A Flask node while the bus is away."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import ClientGone, NodeTimeout, SettingError, SyncClusterManager
from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node, client, eventually, fence
from tests.services.redis import RedisServer

QUICK = {"heartbeat": 0.4, "dead_after": 2.0, "request_seconds": 0.5}


async def expect(one, event, numbers):
    for number in numbers:
        assert await one.next(event, timeout=30) == [number]


async def test_restart(tmp_path, prefix):
    """While the bus is down local clients are served; when it is back the others get all, once, in order."""
    with RedisServer(tmp_path) as bus:
        async with mixed((ThreadedNode, Node, ThreadedNode), bus.url, prefix, **QUICK) as nodes:
            async with client(nodes[0]) as near, client(nodes[1]) as plain, client(nodes[2]) as far:
                await nodes[2].sio.enter_room(far.sid, "red")
                await asyncio.to_thread(bus.stop)
                await eventually(lambda: not any(node.manager.ready for node in nodes), 15)
                for number in range(200):
                    await nodes[0].sio.emit("n", number, room=[None, "red", far.sid][number % 3])
                await expect(near, "n", [n for n in range(200) if n % 3 == 0])
                await nodes[1].sio.emit("back", 1, room=[plain.sid, near.sid])
                await expect(plain, "back", [1])
                with pytest.raises(NodeTimeout, match="the bus is away"):
                    await nodes[0].sio.enter_room(plain.sid, "red")
                await asyncio.to_thread(bus.start)
                await expect(far, "n", range(200))
                await expect(plain, "n", [n for n in range(200) if n % 3 == 0])
                await expect(near, "back", [1])
                await eventually(lambda: all(node.manager.ready for node in nodes), 15)
                await fence(nodes[0], near, plain, far)
                assert all(node.manager.stats.dropped == node.manager.stats.gaps == 0 for node in nodes)


@pytest.mark.parametrize("who", [0, 1], ids=["asks", "is-asked"])
async def test_a_node_leaves(redis_url, prefix, who):
    """A call to the client of another node ends at once when either of the two nodes leaves."""
    async with mixed((ThreadedNode, ThreadedNode), redis_url, prefix) as nodes:
        async with client(nodes[1], reply=False) as silent:
            call = asyncio.create_task(nodes[0].sio.call("ask", to=silent.sid, timeout=60))
            assert await silent.next("ask") == []
            await asyncio.to_thread(nodes[who].manager.leave)
            with pytest.raises(ClientGone):
                await asyncio.wait_for(call, 5)


def test_a_bus_that_cannot_be():
    """A setting that cannot work is told when the manager is made."""
    with pytest.raises(SettingError, match="nonsense"):
        SyncClusterManager("nonsense://there")
