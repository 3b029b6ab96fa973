"""A node with metrics and limits as `socketio-cluster serve` runs it, and readers of what it says."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from socketio_cluster.cluster.cli.options import Limits
from socketio_cluster.cluster.forward.forwarded_request import ForwardStats
from socketio_cluster.cluster.http.protocol import HttpStats
from socketio_cluster.cluster.limits.limits import Limiter
from socketio_cluster.cluster.metrics.worker import Metrics
from tests.cluster.lane_helpers import LaneNode

LANES = {"lane": True, "ordinary": False}


def read(text):
    """The samples of a metrics page: values by name and labels besides ``node``."""
    values = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = {key: value for key, value in sample.labels.items() if key != "node"}
            values[sample.name, tuple(sorted(labels.items()))] = sample.value
    return values


class MeasuredNode(LaneNode):
    """A node with metrics, and the limits that the test gives."""

    def __init__(self, lane=True, limits=None, **options):
        super().__init__(lane, **options)
        self.limiter = Limiter(Limits(**(limits or {})), lambda: [self.manager])
        self.layers = [self.limiter]
        self.metrics = Metrics("one", lambda: [self.manager], ForwardStats(), HttpStats(), lambda: False)

    def value(self, name, **labels):
        """A sample as it is now; None when there is none."""
        return read(self.metrics.exposition()).get((name, tuple(sorted(labels.items()))))


@contextlib.asynccontextmanager
async def measured(lane=True, limits=None, **options):
    """A running node; at its end nothing has gone wrong in its loop behind the back of the test."""
    errors = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
    node = MeasuredNode(lane, limits, **options)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()
        node.metrics.close()
        asyncio.get_running_loop().set_exception_handler(None)
    assert not errors


async def knock(url, transport, http):
    """Ask for a new session; returns the status, the headers, and the connection or None."""
    query = f"/socket.io/?EIO=4&transport={transport}"
    if transport == "polling":
        async with http.get(url + query) as answer:
            await answer.read()
            return answer.status, answer.headers, None
    try:
        ws = await http.ws_connect(url + query)
    except aiohttp.WSServerHandshakeError as error:
        return error.status, error.headers, None
    return 101, {}, ws
