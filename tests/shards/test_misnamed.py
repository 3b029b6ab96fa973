"""A node whose URL names the servers in another order."""

from __future__ import annotations

from tests.harness import Node, eventually, three_nodes
from tests.outage.test_bus_away import QUICK


async def test_other_order(shards, prefix, caplog):
    """Nodes that spread rooms over other servers are named in the log of those that miss them."""
    first, *others = (f"127.0.0.1:{server.port}" for server in shards.servers)
    async with three_nodes(shards.url, prefix, count=1, **QUICK) as nodes:
        turned = Node("redis://" + ",".join([first, *reversed(others)]), prefix, **QUICK)
        await turned.start()
        try:
            words = f"node {turned.manager.node_id} is not on shard"
            await eventually(lambda: sum(words in record.getMessage() for record in caplog.records) == 2)
            assert nodes[0].manager.ready
        finally:
            await turned.stop()
