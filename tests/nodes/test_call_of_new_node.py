"""A call of a node that has only just started: it does not know the other nodes yet."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from socketio import AsyncServer

from socketio_cluster import ClusterManager
from socketio_cluster.manager.remote import UNKNOWN_NODE_SECONDS
from tests.harness import SECONDS, eventually


async def test_call_of_a_node_that_has_just_started(nodes, connect, bus_url, prefix, monkeypatch):
    """A client is not taken for gone before every node has had the time to say that it is there."""
    there, shard = await connect(nodes[1], reply=False), nodes[1].manager.node.shards[0]
    monkeypatch.setattr(shard._speaker, "answer", lambda *_: None)
    shard.options = replace(shard.options, heartbeat=UNKNOWN_NODE_SECONDS + 1)
    shard._beat_at = time.monotonic()
    manager = ClusterManager(bus_url, prefix=prefix, heartbeat=UNKNOWN_NODE_SECONDS + 1)
    sio = AsyncServer(async_mode="asgi", client_manager=manager)
    try:
        call = asyncio.create_task(sio.call("ask", 1, to=there.sid, timeout=60))
        assert await there.next("ask") == [1]
        unknown = nodes[1].manager.node_id not in manager.nodes()
        await eventually(lambda: nodes[1].manager.node_id in manager.nodes() or call.done())
        there.gone.set()  # so that it answers
        assert await asyncio.wait_for(call, SECONDS) == 1
        assert unknown
    finally:
        await manager.close()
