"""A failover that nodes notice at different times: meanwhile two servers take events, one of them in vain."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import AsyncEmitter
from socketio_cluster.manager.bus import shard
from socketio_cluster.manager.bus.registry import open_broker
from tests.harness import eventually, three_nodes
from tests.recovery.clients import SOON, came_back, fence, take
from tests.services.redis import RedisServer

COUNT = 20


@pytest.fixture
def two_servers(tmp_path):
    """A primary and its replica."""
    with RedisServer(tmp_path / "old", "--repl-diskless-sync-delay", "0") as old:
        with RedisServer(tmp_path / "new", "--replicaof", f"127.0.0.1 {old.port}") as new:
            new.until(b"master_link_status:up", "INFO", "replication")
            yield old, new


@pytest.fixture
def name(two_servers, monkeypatch):
    """Where nodes find the primary when they connect: a list with its URL."""
    url = [two_servers[0].url]
    monkeypatch.setattr(shard, "open_broker", lambda _: open_broker(url[0]))
    return url


async def move(node, new, name):
    """Let a node find another primary, while the former one believes that it still is one."""
    new.ask("REPLICAOF", "NO", "ONE")
    name[0] = new.url
    node.manager.node.link.fail("the test says so")
    await eventually(lambda: node.manager.stats.gaps)


async def test_a_node_stays_behind(two_servers, name, prefix, driver):
    """What it emits at the former primary reaches the clients of a node that has left that one before."""
    old, new = two_servers
    async with three_nodes(old.url, prefix, count=2, recovery_seconds=30) as (stays, moves):
        async with (
            driver.client(stays, reconnection=True, **SOON) as near,
            driver.client(moves, reconnection=True, **SOON) as far,
        ):
            assert [await client.connects.get() for client in (near, far)] == [False, False]
            for number in range(COUNT):
                await stays.sio.emit("before", number)
            for client in (near, far):
                for number in range(COUNT):
                    await take(client, "before", number)
            await move(moves, new, name)
            assert await came_back(far) is False
            for number in range(COUNT):
                await stays.sio.emit("n", number)
                await take(near, "n", number)
            await asyncio.to_thread(old.demote, new)
            for number in range(COUNT):
                await take(far, "n", number)
            assert await came_back(near) is False
            await fence(stays, far)


async def test_an_emitter_stays_behind(two_servers, name, prefix, driver):
    """What it was told that the bus has reaches those who could get it at the new primary only."""
    old, new = two_servers
    async with (
        three_nodes(old.url, prefix, count=1, recovery_seconds=30) as (node,),
        driver.client(node, reconnection=True, **SOON) as client,
        AsyncEmitter(old.url, prefix=prefix) as emitter,
    ):
        assert await client.connects.get() is False
        await emitter.emit("before", 1)
        await take(client, "before", 1)
        await move(node, new, name)
        assert await came_back(client) is False
        for number in range(COUNT):
            await emitter.emit("n", number)
        await asyncio.to_thread(old.demote, new)
        for number in range(COUNT):
            await take(client, "n", number)
        await fence(node, client)
