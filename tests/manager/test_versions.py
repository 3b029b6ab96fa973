"""A node writes the newest version of the envelope that all others read."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from socketio_cluster.manager.bus import envelope, membership, speaker
from socketio_cluster.manager.bus.versions import OLDEST, Versions
from tests.harness import client, eventually, three_nodes


def test_agreed():
    """It is the least of what those read that were heard lately, and at first the oldest."""
    versions = Versions(keep=10, newest=5)
    assert versions.agreed(100) == OLDEST
    versions.heard("a", 7, 100)
    versions.heard("b", 3, 105)
    assert versions.agreed(109) == OLDEST
    assert versions.agreed(111) == 3
    assert versions.agreed(116) == 5  # b may not ask for anything any more
    versions.heard("c", 1, 117)
    assert versions.agreed(117) == 1


async def test_nodes_agree(redis_url, prefix, monkeypatch):
    """Nodes that read version 2 write it when all do, and version 1 again as soon as an older one comes."""
    for module in (envelope, membership, speaker):
        monkeypatch.setattr(module, "NEWEST", 2)
    options = {"buffer_seconds": 0.2, "heartbeat": 0.2}
    async with (
        Redis.from_url(redis_url) as redis,
        redis.pubsub() as watcher,
        three_nodes(redis_url, prefix, count=2, **options) as (one, other),
        client(other) as target,
    ):
        await watcher.subscribe(f"{{{prefix}}}:room:/,", f"{{{prefix}}}:node:{other.manager.node_id}")
        codec = one.manager.node.shards[0].membership._codec
        await eventually(lambda: codec.version == 2)
        await one.sio.emit("news", 1, to=target.sid)
        assert await target.next("news") == [1]
        monkeypatch.setattr(
            speaker, "NEWEST", 1
        )  # Those that come now, and the two, are of an older release.
        async with three_nodes(redis_url, prefix, count=1, **options):
            await eventually(lambda: codec.version == 1)
            await one.sio.emit("news", 2, to=target.sid)
            assert await target.next("news") == [2]
        written = []
        async with asyncio.timeout(10):
            while len(written) < 2:
                message = await watcher.get_message(ignore_subscribe_messages=True, timeout=1)
                if message and b"news" in message["data"]:
                    written.append(message["data"][0])
        assert written == [2, 1]
