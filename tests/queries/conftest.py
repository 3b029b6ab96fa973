"""Three nodes on every bus, whose server is the project's own."""

from __future__ import annotations

import pytest

import socketio_cluster
from tests.harness import Node, three_nodes
from tests.nodes.conftest import (  # noqa: F401 - fixtures
    blocking,
    connect,
    connect_any,
    javascript,
    serializer,
    server_options,
)
from tests.outage.test_node_gone import lonely  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def own_server(monkeypatch):
    """The nodes of these tests have the server that asks, and that has ``presence``."""
    monkeypatch.setattr(Node, "server_class", socketio_cluster.AsyncServer)


@pytest.fixture
async def nodes(bus_url, prefix, serializer, server_options):  # noqa: F811 - the fixtures
    """Three nodes on each bus, which know each other after one second."""
    options = {"serializer": serializer, "server_options": server_options, "heartbeat": 1.0}
    async with three_nodes(bus_url, prefix, **options) as three:
        yield three
