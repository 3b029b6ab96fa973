"""All nodes have much to say at the same moment, to everybody."""

from __future__ import annotations

from tests.harness import eventually, three_nodes
from tests.outage.test_bus_away import in_thread
from tests.services.redis import RedisServer

NODES, EVENTS = 6, 500
TEXT = "x" * 20_000


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
        assert "output buffer limits" not in (tmp_path / "redis.log").read_text()
