"""Nodes with a client each, and emitters beside them."""

from __future__ import annotations

import contextlib

import pytest
from blockbuster import blockbuster_ctx

from socketio_cluster import AsyncEmitter
from tests.emitter.processes import puppet
from tests.harness import client, three_nodes
from tests.services.redis import RedisServer

QUICK = {"heartbeat": 0.4, "dead_after": 2.0}


@pytest.fixture(autouse=True)
def blocking():
    """Whatever blocks the event loop from within the manager raises."""
    with blockbuster_ctx("socketio_cluster.manager"):
        yield


@pytest.fixture
def options():
    return {}


@pytest.fixture
async def nodes(bus_url, prefix, options):
    node_options = {key: value for key, value in options.items() if key in ("serializer", "secret")}
    async with three_nodes(bus_url, prefix, **QUICK, **node_options) as three:
        yield three


@pytest.fixture(params=["asyncio", "blocking"])
async def emitter(request, nodes, bus_url, prefix, options):
    """An AsyncEmitter here, or an Emitter in another process."""
    kind = AsyncEmitter if request.param == "asyncio" else puppet
    async with kind(bus_url, prefix=prefix, **QUICK, **options) as one:
        yield one


@pytest.fixture
async def clients(nodes, options):
    """One client on each node."""
    serializer = options.get("serializer", "default")
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(client(node, serializer=serializer)) for node in nodes]


@pytest.fixture
def redis(tmp_path):
    """A Redis of the test's own, that it may stop and freeze."""
    with RedisServer(tmp_path) as server:
        yield server
