"""Two nodes of ours, two stock servers, a bridge between them, and a client on each of the four."""

from __future__ import annotations

import contextlib

import pytest

from socketio_cluster.manager.bridge import turns
from tests.bridge.stock import bridge, stock_servers
from tests.harness import client, three_nodes


class Both:
    """The two clusters. ``clients`` are those of our two nodes and then those of the two stock servers."""

    def __init__(self, nodes, servers, bridge, clients, redis_url, channel):
        self.nodes = nodes
        self.servers = servers
        self.all = [*nodes, *servers]
        self.bridge = bridge
        self.clients = clients
        self.redis_url = redis_url
        self.channel = channel


@contextlib.asynccontextmanager
async def both_clusters(bus_url, redis_url, prefix, *, namespace="/", **options):
    channel = f"stock-{prefix}"
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        nodes = await enter(three_nodes(bus_url, prefix, count=2))
        servers = await enter(stock_servers(redis_url, channel))
        one = await enter(bridge(nodes, bus_url, prefix, redis_url, channel, **options))
        clients = [await enter(client(each, namespace=namespace)) for each in (*nodes, *servers)]
        yield Both(nodes, servers, one, clients, redis_url, channel)


@pytest.fixture
def no_listening(monkeypatch):
    """A bridge does not look out for others before it works."""
    monkeypatch.setattr(turns, "LISTEN_SECONDS", 0.05)


@pytest.fixture
async def both(no_listening, redis_url, prefix):
    """The two clusters on one Redis."""
    async with both_clusters(redis_url, redis_url, prefix) as clusters:
        yield clusters
