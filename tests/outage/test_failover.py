"""A Redis that becomes a replica while its connections stay, as in a managed failover."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus import node
from socketio_cluster.manager.bus.registry import open_broker
from tests.harness import Node, client, eventually, three_nodes
from tests.services.redis import RedisServer

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
        monkeypatch.setattr(node, "open_broker", lambda url: open_broker(self.server.url))


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
