"""A bridge to Node.js's servers among bytes that are no messages, with a Redis that comes and goes."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from socketio_cluster.manager.brokers import redis_foreign
from socketio_cluster.manager.bus.broker import Publication
from tests.bridge.nodejs import node_bridge
from tests.harness import client, eventually, fence, three_nodes
from tests.services.redis import RedisServer


def broadcast(kind, *args):
    """An event for all, as a Node.js server writes it."""
    packet, opts = {"type": 2, "data": list(args), "nsp": "/"}, {"rooms": [], "except": [], "flags": {}}
    message = ["abcdef", packet, opts]
    if kind == "sharded":
        message = {"uid": "ab" * 8, "nsp": "/", "type": 3, "data": {"packet": packet, "opts": opts}}
    return msgspec.msgpack.encode(message)


@pytest.mark.parametrize("kind", ["classic", "sharded"])
async def test_noise_and_an_outage(kind, no_listening, redis_url, prefix, tmp_path):
    """What is no message is counted and dropped, and what comes after it, and after an outage, arrives."""

    async def publish(*payloads):
        broker = await redis_foreign.connect(foreign.url, sharded=kind == "sharded")
        await broker.publish([Publication(("k#/#",), payload) for payload in payloads])
        await broker.close()

    with RedisServer(tmp_path) as foreign:
        async with three_nodes(redis_url, prefix, count=2) as nodes, client(nodes[0]) as one:
            bridge = node_bridge(redis_url, prefix, foreign.url, kind, "k")
            await bridge.start()
            try:
                await eventually(lambda: bridge.works)
                noise = [b"", b"{", b"\xc1", b"[]", msgspec.msgpack.encode(["u", {}, 1]), b"{}"]
                await publish(*noise, broadcast(kind, "news", 1))
                assert await one.next("news") == [1]
                assert bridge.refused == {"malformed": len(noise)}
                await asyncio.to_thread(foreign.stop)
                await eventually(lambda: not bridge.reached)
                await asyncio.to_thread(foreign.start)
                await eventually(lambda: bridge.reached)
                await publish(broadcast(kind, "news", 2))
                assert await one.next("news") == [2]
                await fence(nodes[1], one)
            finally:
                await bridge.close()
