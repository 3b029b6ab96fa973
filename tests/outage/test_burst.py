"""All nodes have much to say at the same moment, to everybody."""

from __future__ import annotations

from tests.harness import eventually, three_nodes
from tests.outage.test_bus_away import in_thread
from tests.outage.test_by_need import cut_off, one_on_a_wire
from tests.services.redis import RedisServer

NODES, EVENTS = 6, 500
TEXT = "x" * 20_000


def cuts(folder):
    """How often a Redis has cut off somebody who did not read fast enough."""
    return (folder / "redis.log").read_text().count("output buffer limits")


async def test_nobody_is_cut_off_by_its_catching_up(tmp_path, prefix):
    """What waited goes out no faster than nodes read it: Redis keeps 32 MiB for each, and cuts nobody off."""
    with RedisServer(tmp_path) as redis:
        async with three_nodes(redis.url, prefix, count=NODES) as nodes:
            for node in nodes:
                await node.manager.node.subscribe(node.manager.node.channels.namespace("/"))
            await in_thread(redis.stop)
            await eventually(lambda: not any(node.manager.ready for node in nodes))
            for node in nodes:
                for number in range(EVENTS):
                    await node.sio.emit("n", [number, TEXT])
            await in_thread(redis.start)
            due = (NODES - 1) * EVENTS
            stats = [node.manager.stats for node in nodes]
            await eventually(lambda: all(one.received["Emit"] == due for one in stats), 60)
            assert [one.reconnects for one in stats] == [1] * NODES
            assert not any(one.dropped or one.gaps for one in stats)
        assert cuts(tmp_path) == 0


async def test_nobody_is_cut_off_by_what_it_asks_for(tmp_path, prefix):
    """A node that was away alone and missed 50 MB has asked for no more than Redis keeps for it when it stops
    reading for a moment.
    """
    with RedisServer(tmp_path) as redis:
        async with one_on_a_wire(redis.url, prefix, count=NODES, timing={}) as (nodes, wire):
            first, away, *more = nodes
            others = [first, *more]
            await away.manager.node.subscribe(away.manager.node.channels.namespace("/"))
            async with cut_off(away, wire):
                for node in others:
                    for number in range(EVENTS):
                        await node.sio.emit("n", [number, TEXT])
            # Only now: it asks when it has read, by the same connection, that Redis has what it said before.
            await eventually(lambda: all(node.manager.stats.published["Answer"] for node in others))
            transport = away.manager.node.link._broker._subscriber._replies.transport
            transport.pause_reading()
            assert away.manager.stats.received["Emit"] < len(others) * EVENTS
            for number in range(EVENTS):
                await others[0].sio.emit("n", [number, "live"])
            await eventually(lambda: not others[0].manager.node.publisher.unsent_bytes)
            transport.resume_reading()
            due = len(others) * EVENTS + EVENTS
            await eventually(lambda: away.manager.stats.received["Emit"] == due, 60)
            assert [node.manager.stats.reconnects for node in nodes] == [0, 1] + [0] * len(more)
            assert away.manager.stats.lost == away.manager.stats.gaps == 0
        assert cuts(tmp_path) == 0
