"""Clusters of threaded and asyncio nodes for the tests of ``tests/nodes``."""

from __future__ import annotations

import contextlib
import functools

import pytest

from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node, client
from tests.jsclient import install, js_driver
from tests.nodes.conftest import enter

MIXES = {"flask-asyncio": (ThreadedNode, Node, ThreadedNode), "asyncio-flask": (Node, ThreadedNode, Node)}
KINDS = {"flask-asyncio": "js-polling", "asyncio-flask": "python-websocket"}
"""One kind of client for each mix: both meet both kinds of nodes."""


@pytest.fixture
def serializer():
    return "default"


@pytest.fixture
def server_options():
    return {}


@pytest.fixture(params=MIXES)
async def nodes(request, redis_url, prefix, serializer, server_options):
    """Three nodes on Redis, of two kinds."""
    kinds = MIXES[request.param]
    async with mixed(kinds, redis_url, prefix, serializer=serializer, server_options=server_options) as three:
        yield three


@pytest.fixture
async def connect(nodes, serializer):
    """Awaited with a node it gives a python-socketio client over WebSocket, until the test ends."""
    async with contextlib.AsyncExitStack() as stack:
        yield functools.partial(enter, stack, functools.partial(client, serializer=serializer))


@pytest.fixture(scope="session")
def javascript():
    install()


@pytest.fixture
async def connect_any(request, nodes, serializer):
    """The same with the official clients."""
    kind, transport = KINDS[request.node.callspec.params["nodes"]].split("-")
    async with contextlib.AsyncExitStack() as stack:
        make = client
        if kind == "js":
            request.getfixturevalue("javascript")
            make = (await stack.enter_async_context(js_driver())).client
        make = functools.partial(make, serializer=serializer, transports=[transport])
        yield functools.partial(enter, stack, make)
