"""The metrics of a worker and its readiness name a shard that is away."""

from __future__ import annotations

from socketio_cluster.cluster.forward.forwarded_request import ForwardStats
from socketio_cluster.cluster.http.protocol import HttpStats
from socketio_cluster.cluster.metrics.worker import Metrics
from socketio_cluster.cluster.probes.status import status_of
from tests.cluster.measured import read
from tests.harness import eventually, three_nodes
from tests.outage.test_bus_away import QUICK, in_thread
from tests.shards.rooms import room_on


async def test_named(shards, prefix):
    """A shard that is away is named in readiness and metrics, and so is what waits for it."""
    async with three_nodes(shards.url, prefix, count=2, **QUICK) as nodes:
        manager = nodes[0].manager
        page = Metrics("one", lambda: [manager], ForwardStats(), HttpStats(), bool)

        def values(name):
            found = read(page.exposition())
            return [found[name, (("shard", str(shard)),)] for shard in range(3)]

        assert values("socketio_bus_shard_up") == [1, 1, 1]
        await in_thread(shards.servers[2].stop)
        await eventually(lambda: not manager.ready)
        status = status_of([manager], connections=0, soft=None, draining=False)
        place = f"redis://127.0.0.1:{shards.servers[2].port}/0"
        assert status.reasons == [f"shard 2 of the bus ({place}) is away"]
        assert (status.ready, status.bus) == (False, "away")
        await nodes[0].sio.emit("n", "x" * 5000, to=room_on(nodes[0], 2))
        assert values("socketio_bus_shard_up") == [1, 1, 0]
        first, second, third = values("socketio_bus_shard_buffered_bytes")
        assert first == second == 0
        assert third > 5000
        await in_thread(shards.servers[2].start)
        await eventually(lambda: manager.ready)
        await eventually(lambda: values("socketio_bus_shard_buffered_bytes") == [0, 0, 0])
        page.close()
