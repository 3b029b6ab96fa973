"""Bridges to python-socketio's own servers come and go, several at once, and so do the buses' connections."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from socketio_cluster.manager.bridge import turns
from tests.bridge.stock import bridge
from tests.bridge.test_stock import fence_all
from tests.harness import client, eventually


async def test_two_bridges(both, monkeypatch, prefix):
    """Of two bridges one works, so that all crosses once, and the other one takes over when it stops."""
    monkeypatch.setattr(turns, "LISTEN_SECONDS", 1.5)
    where = both.redis_url, prefix, both.redis_url, both.channel
    async with bridge(both.nodes, *where, works=False) as second:
        await eventually(lambda: second._turns.is_peer(both.bridge.manager.node_id))
        await fence_all(both)
        assert await both.nodes[0].sio.call("ask", 1, to=both.clients[2].sid, timeout=15) == 1
        assert await both.servers[0].sio.call("ask", 2, to=both.clients[0].sid, timeout=15) == 2
        assert not second.works
        assert second.inward == second.outward == {}
        await both.bridge.close()
        await eventually(lambda: second.works)
        for one, number in ((both.clients[2], 1), (both.clients[0], 2)):
            assert await one.next("ask") == [number]
        await fence_all(both)


async def test_cut_off(both):
    """When every connection to Redis was cut, everything crosses again, each event once."""
    before = [server.manager.pubsub for server in both.servers]
    async with Redis.from_url(both.redis_url) as redis:
        for kind in ("pubsub", "normal"):
            await redis.client_kill_filter(_type=kind, skipme=True)

    def is_back(server):
        return server.manager.pubsub not in before and server.manager.pubsub.subscribed

    await eventually(lambda: not both.bridge.reached)
    await eventually(lambda: all(map(is_back, both.servers)))
    await eventually(lambda: both.bridge.reached and both.bridge.works)
    await eventually(lambda: all(node.manager.ready for node in both.nodes))
    await fence_all(both)


async def test_moving(both):
    """Clients move from stock servers to nodes while all emit: those that are there get every event once."""
    ledger = {number: [] for number in range(4)}
    ended = asyncio.Event()
    counts = [0] * 4

    async def stream(number, server):
        while not ended.is_set():
            counts[number] += 1
            await server.sio.emit("tick", (number, counts[number]))
            await asyncio.sleep(0.005)

    async def follow(one, into):
        while True:
            number, count = await one.next("tick")
            into[number].append(count)

    streams = [asyncio.create_task(stream(*each)) for each in enumerate(both.all)]
    watching = asyncio.create_task(follow(both.clients[0], ledger))
    for _ in range(2):
        for server in both.all:
            seen = {number: [] for number in range(4)}
            async with client(server) as moved:
                task = asyncio.create_task(follow(moved, seen))
                await eventually(lambda seen=seen: all(len(each) > 2 for each in seen.values()))
                task.cancel()
            for numbers in seen.values():
                assert numbers == list(range(numbers[0], numbers[-1] + 1))
    ended.set()
    await asyncio.gather(*streams)
    await eventually(lambda: [len(each) for each in ledger.values()] == counts)
    watching.cancel()
    assert ledger == {number: list(range(1, counts[number] + 1)) for number in range(4)}
