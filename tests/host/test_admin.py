"""The admin UI, which replaces functions of the server as the cluster does, may come at any time."""

from __future__ import annotations

from socketio_cluster.cluster.metrics.watch import Watching
from socketio_cluster.cluster.stack import Stack
from socketio_cluster.cluster.strict.gate import Strict
from tests.harness import client, three_nodes


async def test_events_count_once(local_url, prefix):
    """An event counts once, though the admin UI came between two starts of the managers."""
    async with three_nodes(local_url, prefix, count=1) as [node]:
        admin = node.sio.instrument(auth=False, mode="development")
        Stack([Watching(), Strict()]).install([node.manager])
        try:
            async with client(node) as one:
                await one.call("hello")
            assert node.manager.stats.events == 1
        finally:
            admin.uninstrument()  # it has changed a class of python-engineio
