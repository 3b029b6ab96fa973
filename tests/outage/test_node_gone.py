"""Nodes that leave, die or fall silent, and what waited for them."""

from __future__ import annotations

import asyncio
import signal

import pytest
from socketio.exceptions import TimeoutError as SocketIOTimeoutError

from tests.harness import client, eventually, three_nodes
from tests.outage.process_node import ProcessNode

QUICK = {"heartbeat": 0.4, "dead_after": 2.0}

LONELY_NODE = """
import asyncio, sys, socketio, uvicorn
from socketio_cluster import ClusterManager
sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager(
    sys.argv[1], prefix=sys.argv[2], heartbeat=0.4, dead_after=2.0))
@sio.event
async def disconnect(sid, reason):
    await asyncio.sleep(60)
"""


@pytest.fixture
async def lonely(bus_url, prefix):
    """A started node that the tests may kill."""
    node = ProcessNode(LONELY_NODE)
    await node.start(bus_url, prefix)
    yield node
    await node.kill()


async def test_killed(bus_url, prefix, lonely):
    """A node killed in the middle of traffic is noticed, and what waits for it stops waiting."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        await eventually(lambda: lonely.id in nodes[0].manager.nodes())
        async with client(nodes[1]) as other, client(lonely, reply=False) as victim:
            call = asyncio.create_task(nodes[0].sio.call("question", to=victim.sid, timeout=60))
            assert await victim.next("question") == []
            kick = asyncio.create_task(nodes[0].sio.disconnect(victim.sid))
            await lonely.kill()
            with pytest.raises(SocketIOTimeoutError, match="not connected"):
                await asyncio.wait_for(call, 10)
            await asyncio.wait_for(kick, 10)
            assert lonely.id not in nodes[0].manager.nodes()
            with pytest.raises(ValueError, match="not connected"):
                await nodes[0].sio.enter_room(victim.sid, "red")
            await nodes[0].sio.emit("on", 1)
            assert await other.next("on") == [1]


async def test_stopped(bus_url, prefix, lonely):
    """A node that is told to stop says goodbye: the others know at once."""
    async with three_nodes(bus_url, prefix, count=1) as nodes:
        await eventually(lambda: lonely.id in nodes[0].manager.nodes())
        await lonely.kill(signal.SIGTERM)
        await eventually(lambda: lonely.id not in nodes[0].manager.nodes(), 6)  # unheard it lives for 8 s


async def test_nothing_after_the_goodbye(bus_url, prefix):
    """A node whose goodbye takes a while does not beat behind it: it would come back, to be missed later."""
    async with three_nodes(bus_url, prefix, count=2, heartbeat=0.1) as (leaves, stays):
        leaves.manager.node.shards[0].leaving()
        await eventually(lambda: leaves.manager.node_id not in stays.manager.nodes())
        beats = stays.manager.stats.published["Beat"]
        await eventually(lambda: stays.manager.stats.published["Beat"] > beats + 5)
        assert leaves.manager.node_id not in stays.manager.nodes()


async def test_frozen_node(bus_url, prefix, lonely):
    """A node that stands still is taken for dead, and is back when it goes on, having lost nothing."""
    async with three_nodes(bus_url, prefix, count=1, **QUICK) as nodes:
        await eventually(lambda: lonely.id in nodes[0].manager.nodes())
        async with client(lonely) as far:
            lonely.process.send_signal(signal.SIGSTOP)
            try:
                for number in range(100):
                    await nodes[0].sio.emit("n", number)
                await eventually(lambda: lonely.id not in nodes[0].manager.nodes(), 10)
            finally:
                lonely.process.send_signal(signal.SIGCONT)
            for number in range(100):
                assert await far.next("n", timeout=15) == [number]
            await eventually(lambda: lonely.id in nodes[0].manager.nodes(), 10)


async def test_closed_while_busy(bus_url, prefix):
    """A node that is closed with a batch on its way sends all there is, then its goodbye."""
    async with three_nodes(bus_url, prefix, count=2) as nodes:
        async with client(nodes[1]) as far:
            for number in range(1500):
                await nodes[0].sio.emit("n", number)
            await asyncio.sleep(0)  # the first batch is on its way
            await nodes[0].manager.close()
            for number in range(1500):
                assert await far.next("n") == [number]
            await eventually(lambda: list(nodes[1].manager.nodes()) == [nodes[1].manager.node_id], 2)
