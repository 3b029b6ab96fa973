"""The first calls of an emitter, which does not know the nodes yet that it asks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from socketio_cluster import AsyncEmitter
from socketio_cluster.manager.remote import UNKNOWN_NODE_SECONDS
from tests.emitter.conftest import QUICK
from tests.harness import client


@pytest.fixture
async def slow(nodes):
    """A node with a client; to confirm that the client is gone takes it a while."""

    async def disconnected(sid, reason):
        await asyncio.sleep(UNKNOWN_NODE_SECONDS + 1)
        node.handled = sid

    node = nodes[1]
    node.sio.on("disconnect", disconnected)
    async with client(node) as node.client:
        yield node


async def test_a_node_that_is_slow_to_confirm(slow, bus_url, prefix):
    """A node that says meanwhile that it is there gets as long as any other to confirm a request."""
    sid = slow.client.sid
    async with AsyncEmitter(bus_url, prefix=prefix, **QUICK) as emitter:
        await emitter.disconnect(sid)
        assert slow.handled == sid


async def test_a_node_that_is_slow_to_say_that_it_is_there(slow, bus_url, prefix, monkeypatch):
    """A missing reply means nothing until every node has had the time to say that it is there."""
    sid, shard = slow.client.sid, slow.manager.node.shards[0]
    monkeypatch.setattr(shard._speaker, "answer", lambda *_: None)
    shard.options = replace(shard.options, heartbeat=UNKNOWN_NODE_SECONDS + 0.5, dead_after=4)
    shard._beat_at = time.monotonic()
    async with AsyncEmitter(bus_url, prefix=prefix, heartbeat=2, dead_after=4) as emitter:
        await emitter.disconnect(sid)
        assert slow.handled == sid
