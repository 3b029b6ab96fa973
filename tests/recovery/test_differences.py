"""Nodes and emitters with other settings of recovery than the rest: who has to act is told, by name."""

from __future__ import annotations

import pytest

from socketio_cluster import AsyncEmitter
from socketio_cluster.manager.errors import SettingError
from tests.harness import client, eventually, three_nodes
from tests.services.redis import RedisServer

OFF = (
    "one keeps events for clients that come back, and this node does not: give this node recovery_seconds"
    " too; until then no client is recovered"
)
OTHER = (
    "recovery_seconds is {} on {} and {} on this node: give all nodes the same; until then how long a client"
    " may be away depends on the node that it was on"
)


def one_node(bus, prefix, name, seconds):
    return three_nodes(bus, prefix, count=1, name=name, recovery_seconds=seconds)


@pytest.mark.parametrize(
    ("seconds", "sentences"),
    [(None, [OFF]), (60, [OTHER.format(30, "one", 60), OTHER.format(60, "two", 30)]), (30, [])],
)
async def test_nodes(bus_url, prefix, caplog, seconds, sentences):
    """A node that has recovery off says so itself; where the seconds differ, each node says it."""
    async with one_node(bus_url, prefix, "one", 30) as [a], one_node(bus_url, prefix, "two", seconds) as [b]:
        for here, there in ((a, b), (b, a)):
            await eventually(lambda here=here, there=there: there.manager.node_id in here.manager.nodes())
            assert here.manager.differences.count == (1 if sentences else 0)
            here.manager.differences.look()  # as for each further node that comes: it is said once
        said = [record.getMessage() for record in caplog.records if "recovery_seconds" in record.getMessage()]
        said = [text for text in said if not text.startswith("two: give it recovery_seconds too")]
        assert sorted(said) == sentences


async def test_an_emitter_with_another_redis(amqp_url, redis_url, prefix, tmp_path):
    """Its events would reach nobody, so it says which nodes keep theirs elsewhere."""
    with RedisServer(tmp_path) as other:
        async with (
            three_nodes(
                amqp_url, prefix, count=1, name="one", recovery_seconds=30, recovery_url=redis_url
            ) as [node],
            AsyncEmitter(amqp_url, prefix=prefix, recovery_url=other.url) as lost,
            AsyncEmitter(amqp_url, prefix=prefix, recovery_url=redis_url) as emitter,
            client(node) as one,
        ):
            await eventually(lambda: lost.recording.on)
            for emit in (lost.emit, lost.except_("room").emit):
                with pytest.raises(SettingError, match="^one: .* give it the recovery_url of the nodes"):
                    await emit("n", 1)
            await emitter.emit("n", 2)
            assert await one.next("n") == [2]


async def test_an_emitter_after_recovery_was_turned_off(bus_url, prefix):
    """What the bus still keeps of earlier nodes misleads no emitter of those that are there."""
    async with one_node(bus_url, prefix, "one", 30):
        pass
    async with (
        one_node(bus_url, prefix, "two", None) as [node],
        AsyncEmitter(bus_url, prefix=prefix) as emitter,
        client(node) as one,
    ):
        await emitter.start()
        await emitter.emit("n", 1)
        assert await one.next("n") == [1]
