"""What waited for the bus goes on when a node has heard the mark behind the batch before."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

from socketio_cluster.manager.bus import outgoing
from socketio_cluster.manager.bus.messages import Gone
from socketio_cluster.manager.client_manager import ClusterManager


async def test_batches_follow_their_marks(monkeypatch, prefix):
    """Each batch waits for the mark of the one before, which wakes the link when it comes back."""
    monkeypatch.setattr(outgoing, "LEAST_BYTES", 1)
    manager = ClusterManager(f"memory://{prefix}", prefix=prefix, heartbeat=4)
    await manager.start()
    try:
        shard = manager.node.shards[0]
        shard._speaker.mark = mark = Mock(wraps=shard._speaker.mark)
        shard._outgoing.hold()
        for number in range(3):
            shard.publisher.post(Gone(number), (shard.channels.everyone,))
        shard._outgoing.flow_paced(nodes=10**9)
        shard.publisher.wake()
        async with asyncio.timeout(2):  # A beat would come back later.
            await shard.publisher.sent(shard.publisher.number)
        assert mark.call_count == 2
    finally:
        await manager.close()
