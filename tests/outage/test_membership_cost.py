"""What nodes say to each other about themselves grows with their number, and with nothing else."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.harness import Node, eventually, three_nodes
from tests.outage.test_bus_away import in_thread
from tests.services.redis import RedisServer

NODES = 8
SELDOM = {"heartbeat": 60.0, "dead_after": 300.0, "settle_seconds": 30.0}
"""So no beat comes by itself in these tests, and nobody is too late for the others on a busy machine."""


def published(nodes):
    """How many messages of each kind all nodes have published."""
    return sum((node.manager.stats.published for node in nodes), Counter())


async def greeted(nodes):
    """Return when nobody has a hello to answer any more."""
    await eventually(
        lambda: not any(node.manager.node.shards[0].membership.greetings._from for node in nodes)
    )


async def test_one_comes_and_goes(redis_url, prefix):
    """A node that comes costs a hello and an answer of each other node, and one that goes costs a goodbye."""
    async with three_nodes(redis_url, prefix, count=NODES, **SELDOM) as nodes:
        await greeted(nodes)
        before, late = published(nodes), Node(redis_url, prefix, **SELDOM)
        await late.start()
        everybody = [*nodes, late]
        await eventually(lambda: all(len(node.manager.nodes()) == NODES + 1 for node in everybody))
        assert published(everybody) - before == {"Hello": 1, "Beat": NODES}
        before = published(everybody)
        await late.stop()
        await eventually(lambda: all(len(node.manager.nodes()) == NODES for node in nodes))
        assert published(everybody) - before == {"Bye": 1}


async def test_a_request_to_everybody(redis_url, prefix):
    """``close_room`` costs one request to all, and a reply of each."""
    async with three_nodes(redis_url, prefix, count=NODES) as nodes:
        before = published(nodes)
        await nodes[0].sio.close_room("red")
        said = published(nodes) - before
        assert (said.pop("Close"), said.pop("Reply")) == (1, NODES - 1)
        assert said.keys() <= {"Beat"}


@pytest.mark.parametrize("events", [1, 200])
async def test_all_come_back(tmp_path, prefix, events):
    """After an outage each node says hello and answers the others a few times, and nobody asks, however many
    events waited: each of them goes out once, to the one node that needs it.
    """
    with RedisServer(tmp_path) as server:
        async with three_nodes(server.url, prefix, count=NODES, **SELDOM) as nodes:
            for at, node in enumerate(nodes):
                await node.manager.node.subscribe(node.manager.node.channels.room("/", f"room {at}"))
            await in_thread(server.stop)
            await eventually(lambda: not any(node.manager.ready for node in nodes))
            before = published(nodes)
            for at, node in enumerate(nodes):
                for number in range(events):
                    await node.sio.emit("n", number, room=f"room {(at + 1) % NODES}")
            await in_thread(server.start)
            await eventually(lambda: all(node.manager.stats.received["Emit"] == events for node in nodes))
            said = published(nodes) - before
            assert said["Emit"] == NODES * events
            assert said["Hello"] == NODES
            assert said["Beat"] <= 5 * NODES
            assert said["Ask"] == said["Answer"] == 0
