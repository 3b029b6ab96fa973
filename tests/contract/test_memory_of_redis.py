"""What a Redis server has forgotten is noticed: then nobody goes on from before."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.registry import open_broker
from socketio_cluster.manager.bus.store import Begin, Look, cluster_of
from socketio_cluster.manager.errors import BrokerError
from tests.services.redis import RedisSentinel, RedisServer

CLUSTER = cluster_of(Channels("sio").everyone)


async def place(server, question):
    broker = await open_broker(server.url)
    try:
        return await broker.ask(CLUSTER, question)
    finally:
        await broker.close()


async def epoch(server):
    return (await place(server, Begin(60.0, 1_000_000))).epoch


async def test_when_it_began(tmp_path):
    """A history says for how long it has been kept, unless a node of release 0.1 has begun it."""
    with RedisServer(tmp_path) as server:
        assert (await place(server, Begin(60.0, 1_000_000))).age == 0
        await asyncio.sleep(0.05)
        for question in (Look(), Begin(60.0, 1_000_000)):
            assert 0.05 <= (await place(server, question)).age < 30
        server.ask("HSET", f"{CLUSTER}:recovery", "epoch", "other1")
        for question in (Look(), Begin(60.0, 1_000_000)):
            assert (await place(server, question)).age is None


@pytest.mark.parametrize(("settings", "remembers"), [((), False), (("--appendonly", "yes"), True)])
async def test_a_restart(settings, remembers, tmp_path):
    """A server with an append-only file goes on after a restart; another one has a new epoch."""
    with RedisServer(tmp_path, *settings) as server:
        before = await epoch(server)
        assert await epoch(server) == before
        server.stop()
        server.start()
        assert (await epoch(server) == before) is remembers


async def test_a_failover(tmp_path):
    """A replica that has become the primary has a new epoch: the last writes may never have reached it."""
    with RedisSentinel(tmp_path) as servers:
        before = await epoch(servers)
        servers.replica.until(before.encode(), "HGETALL", f"{CLUSTER}:recovery")
        servers.master.stop()
        async with asyncio.timeout(60):
            while True:
                try:
                    after = await epoch(servers)
                    break
                except BrokerError:
                    await asyncio.sleep(0.1)
        assert after != before
        assert await epoch(servers) == after
