"""Three nodes on every bus, whose server is the project's own."""

from __future__ import annotations

import pytest

import socketio_cluster
from tests.harness import Node
from tests.nodes.conftest import (  # noqa: F401 - fixtures
    blocking,
    connect,
    connect_any,
    javascript,
    nodes,
    serializer,
    server_options,
)
from tests.outage.test_node_gone import lonely  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def own_server(monkeypatch):
    """The nodes of these tests have the server that asks, and that has ``presence``."""
    monkeypatch.setattr(Node, "server_class", socketio_cluster.AsyncServer)
