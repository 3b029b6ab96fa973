"""A Redis that becomes a replica while its connections stay, as in a managed failover."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.brokers import redis_sentinel
from socketio_cluster.manager.brokers.redis_url import read_settings
from socketio_cluster.manager.bus import shard
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.registry import open_broker
from socketio_cluster.manager.errors import BrokerError
from tests.harness import Node, client, eventually, fence, three_nodes
from tests.services.process import free_port
from tests.services.redis import RedisSentinel, RedisServer

QUICK = {"heartbeat": 0.4, "dead_after": 2.0}


@pytest.fixture
def two_servers(tmp_path, monkeypatch):
    """Two primaries; servers are asked for their role every 0.3 s."""
    monkeypatch.setattr("socketio_cluster.manager.bus.link.CHECK_SECONDS", 0.3)
    with RedisServer(tmp_path / "old") as old, RedisServer(tmp_path / "new") as new:
        yield old, new


class Name:
    """A name that leads to another server after a failover, as that of a managed Redis does."""

    def __init__(self, monkeypatch, server):
        self.server = server
        monkeypatch.setattr(shard, "open_broker", lambda url: open_broker(self.server.url))


async def numbers(one, event):
    """What comes with the next 20 of this event."""
    found = []
    while len(found) < 20:
        name, arguments = await asyncio.wait_for(one.events.get(), 15)
        if name == event:
            found += arguments
    return found


async def test_a_managed_failover(two_servers, prefix, monkeypatch):
    """Nodes on a demoted primary move to the new one; what they had sent there reaches everybody."""
    old, new = two_servers
    name = Name(monkeypatch, old)
    async with three_nodes(old.url, prefix, count=2, **QUICK) as nodes, client(nodes[0]) as near:
        name.server = new
        late = Node(new.url, prefix, **QUICK)
        await late.start()
        try:
            async with client(late) as far:
                old.ask("REPLICAOF", "127.0.0.1", str(new.port))
                for number in range(20):
                    await nodes[0].sio.emit("n", number)
                    await late.sio.emit("from late", number)
                    await asyncio.sleep(0.03)
                assert await numbers(far, "n") == await numbers(near, "from late") == list(range(20))
                await eventually(lambda: len(late.manager.nodes()) == 3)
        finally:
            await late.stop()


async def test_a_replica_is_no_bus(two_servers, prefix, caplog):
    """A node that only finds a replica is not ready and says why; it joins when that is the primary."""
    old, new = two_servers
    new.ask("REPLICAOF", "127.0.0.1", str(old.port))
    async with three_nodes(new.url, prefix, count=1, settled=False, **QUICK) as nodes:
        assert not nodes[0].manager.ready
        assert "is not the primary" in caplog.text
        new.ask("REPLICAOF", "NO", "ONE")
        await eventually(lambda: nodes[0].manager.ready)


async def test_a_planned_failover_of_sentinels(tmp_path, prefix, monkeypatch):
    """Nodes leave the former primary, which the sentinels demote much later, with what nobody has heard."""
    monkeypatch.setattr("socketio_cluster.manager.bus.link.CHECK_SECONDS", 0.3)
    with RedisSentinel(tmp_path) as servers:
        async with three_nodes(servers.url, prefix, count=1, **QUICK) as (stays,), client(stays) as near:
            await asyncio.to_thread(servers.sentinel.until, b"OK", "SENTINEL", "FAILOVER", "main")
            name = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
            await asyncio.to_thread(servers.sentinel.until, str(servers.replica.port).encode(), *name)
            late = Node(servers.url, prefix, **QUICK)
            await late.start()
            try:
                async with client(late) as far:
                    for number in range(20):
                        await stays.sio.emit("n", number)
                        await late.sio.emit("from late", number)
                        await asyncio.sleep(0.03)
                    assert await numbers(far, "n") == await numbers(near, "from late") == list(range(20))
                    assert stays.manager.stats.reconnects == 1
                    assert b"role:master" in servers.master.ask("INFO", "replication")
            finally:
                await late.stop()


async def test_sentinels_that_know_less(tmp_path, monkeypatch):
    """A broker stays where it is when they name a replica, a server that has gone, or nobody."""
    with RedisSentinel(tmp_path) as servers:
        broker = await open_broker(servers.url)
        try:
            for named in (servers.replica.port, free_port(), None):

                async def find(url, named=named):
                    if named is None:
                        raise BrokerError("no sentinel answers")
                    return read_settings(f"redis://127.0.0.1:{named}")

                monkeypatch.setattr(redis_sentinel, "_find_master", find)
                await broker.check()
            await broker.publish([Publication(("channel",), b"payload")])
        finally:
            await broker.close()


@pytest.fixture
def unasked(monkeypatch):
    """Servers are not asked for their role again after the start."""
    monkeypatch.setattr("socketio_cluster.manager.bus.link.CHECK_SECONDS", 600)


async def test_a_replica_that_copies_all_of_its_primary(two_servers, unasked, prefix, monkeypatch):
    """A node on a demoted primary leaves it before it hears what comes after a gap, long before it would ask
    for the role: it gets all that was emitted at the new one, and gives all that it emitted at the old one.
    """
    old, new = two_servers
    name = Name(monkeypatch, old)
    async with three_nodes(old.url, prefix, count=2, **QUICK) as (stays, moves), client(stays) as near:
        async with client(moves) as far:
            name.server = new
            moves.manager.node.link.fail("the test says so")
            await eventually(lambda: moves.manager.stats.reconnects == 1)
            for number in range(10):
                await moves.sio.emit("n", number)
            await eventually(lambda: not moves.manager.node.shards[0].publisher.backlog.unsent)
            new.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
            old.ask("REPLICAOF", "127.0.0.1", str(new.port))
            for number in range(10):
                await stays.sio.emit("m", number)
            await asyncio.to_thread(old.until, b"master_link_status:up", "INFO", "replication")
            for number in range(10, 20):
                await moves.sio.emit("n", number)
            assert await numbers(near, "n") == list(range(20))
            for number in range(10, 20):
                await stays.sio.emit("m", number)
            assert await numbers(far, "m") == list(range(20))


async def test_a_server_that_is_emptied(two_servers, unasked, prefix):
    """Nodes on a primary that drops all its data come back, and hear all events once, in order."""
    server, _ = two_servers
    async with three_nodes(server.url, prefix, count=2, **QUICK) as nodes, client(nodes[1]) as far:
        for number in range(20):
            await nodes[0].sio.emit("n", number)
            if number == 10:
                server.ask("FLUSHALL")
        assert await numbers(far, "n") == list(range(20))
        await eventually(lambda: all(node.manager.stats.reconnects == 1 for node in nodes))
        await eventually(lambda: all(node.manager.ready for node in nodes))
        await fence(nodes[0], far)
