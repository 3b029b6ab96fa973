"""Nodes that die, stand still or start while a question waits for them."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from socketio_cluster import PartialAnswer
from tests.harness import Node, client, eventually, three_nodes
from tests.outage.test_node_gone import QUICK
from tests.services.redis import RedisServer


async def test_frozen(bus_url, prefix, lonely):
    """A node that stands still is named by the error, with what the others said; it is asked again later."""
    async with three_nodes(bus_url, prefix, count=2) as nodes:
        await eventually(lambda: all(lonely.id in node.manager.nodes() for node in nodes))
        async with client(nodes[1]) as one, client(lonely) as far:
            lonely.process.send_signal(signal.SIGSTOP)
            try:
                for ask in (nodes[0].sio.fetch_sockets, nodes[0].sio.count, nodes[0].sio.fetch_rooms):
                    with pytest.raises(PartialAnswer, match=f"no answer from node {lonely.id}") as caught:
                        await ask(timeout=0.3)
                    assert caught.value.missing == {lonely.id}
                    if ask == nodes[0].sio.fetch_sockets:
                        assert [each.sid for each in caught.value.answer] == [one.sid]
            finally:
                lonely.process.send_signal(signal.SIGCONT)
            assert await nodes[0].sio.count() == 2
            assert await nodes[0].sio.rooms_of(far.sid) == set()
            assert len(nodes[0].manager.queries) == 0


async def test_killed(bus_url, prefix, lonely):
    """A node that dies is waited for until that is known, and not a moment longer."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        await eventually(lambda: all(lonely.id in node.manager.nodes() for node in nodes))
        async with client(nodes[1]) as one, client(lonely) as victim:
            sid = victim.sid
            await lonely.kill()
            asking = asyncio.ensure_future(nodes[0].sio.fetch_sockets(timeout=60))
            whose = asyncio.create_task(nodes[0].sio.rooms_of(sid, timeout=60))
            await eventually(lambda: lonely.id not in nodes[0].manager.nodes())
            assert [each.sid for each in await asyncio.wait_for(asking, 1)] == [one.sid]
            with pytest.raises(ValueError, match="not connected"):
                await asyncio.wait_for(whose, 1)
            start = time.monotonic()
            assert await nodes[0].sio.count(timeout=60) == 1
            assert time.monotonic() - start < 1


async def test_started_meanwhile(bus_url, prefix, lonely):
    """A node that starts while a question waits does no harm to it, and is asked the next time."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        await eventually(lambda: lonely.id in nodes[0].manager.nodes())
        lonely.process.send_signal(signal.SIGSTOP)
        asking = asyncio.create_task(nodes[0].sio.count(timeout=60))
        late = Node(bus_url, prefix, **QUICK)
        await late.start()
        try:
            await eventually(lambda: late.manager.node_id in nodes[0].manager.nodes())
            async with client(late):
                lonely.process.send_signal(signal.SIGCONT)
                assert await asyncio.wait_for(asking, 15) in (0, 1)
                assert await nodes[0].sio.count() == 1
        finally:
            lonely.process.send_signal(signal.SIGCONT)
            await late.stop()


@pytest.fixture
def own_redis(tmp_path):
    with RedisServer(tmp_path) as server:
        yield server


async def test_the_bus_is_away(own_redis, prefix):
    """Without the bus a question names those who cannot be asked, and carries this node's own clients."""
    async with three_nodes(own_redis.url, prefix, count=2) as nodes:
        async with client(nodes[0]) as one:
            own_redis.stop()
            await eventually(lambda: not nodes[0].manager.ready)
            with pytest.raises(PartialAnswer) as caught:
                await nodes[0].sio.fetch_sockets(timeout=0.3)
            assert [each.sid for each in caught.value.answer] == [one.sid]
            assert caught.value.missing == {nodes[1].manager.node_id}
            assert await nodes[0].sio.count(local=True) == 1
            own_redis.start()
            await eventually(lambda: all(node.manager.ready for node in nodes))
            assert await nodes[0].sio.count() == 1


async def test_volatile_without_the_bus(own_redis, prefix):
    """A volatile event does not wait for the bus: local clients get it, the others never do."""
    async with three_nodes(own_redis.url, prefix, count=2) as nodes:
        async with client(nodes[0]) as here, client(nodes[1]) as there:
            own_redis.stop()
            await eventually(lambda: not nodes[0].manager.ready)
            await nodes[0].sio.volatile.emit("tick")
            await nodes[0].sio.except_("nobody").emit("kept")
            own_redis.start()
            for expected, one in (("tick", here), ("kept", here), ("kept", there)):
                assert await one.next(expected) == []
