"""Three nodes on every bus, whose server is the project's own, and a book of the handlers' calls."""

from __future__ import annotations

import pytest

from tests.harness import Node
from tests.nodes.conftest import (  # noqa: F401 - fixtures
    blocking,
    connect,
    javascript,
    nodes,
    serializer,
    server_options,
)
from tests.outage.test_node_gone import lonely  # noqa: F401 - a fixture
from tests.queries.conftest import own_server  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    """The calls of all handlers in the cluster, in order: ``("join" or "leave", room, key, meta)``."""
    book = []
    plain = Node.__init__

    def listening(node, *args, **options):
        plain(node, *args, **options)
        node.sio.presence.on_join(lambda *call: book.append(("join", *call)))
        node.sio.presence.on_leave(lambda *call: book.append(("leave", *call)))

    monkeypatch.setattr(Node, "__init__", listening)
    return book
