"""The cluster of a test and ways to connect to it.

A test chooses its cluster by parametrising ``serializer``, ``server_options`` or ``manager_options``.
"""

from __future__ import annotations

import contextlib
import functools

import pytest
from blockbuster import blockbuster_ctx

import socketio_cluster
from tests.harness import Node, client, three_nodes
from tests.jsclient import install, js_driver

KINDS = ["python-websocket", "python-polling", "js-websocket", "js-polling"]


@pytest.fixture(autouse=True)
def blocking():
    """Whatever blocks the event loop from within the manager raises."""
    with blockbuster_ctx("socketio_cluster.manager"):
        yield


@pytest.fixture
def serializer():
    return "default"


@pytest.fixture
def server_options():
    return {}


@pytest.fixture
async def nodes(bus_url, prefix, serializer, server_options):
    """Three nodes on each bus."""
    async with three_nodes(bus_url, prefix, serializer=serializer, server_options=server_options) as three:
        yield three


@pytest.fixture
async def two_of_ours(redis_url, prefix, serializer, server_options, monkeypatch):
    """Two nodes on Redis whose servers are of our class, which has middlewares and exception handlers."""
    monkeypatch.setattr(Node, "server_class", socketio_cluster.AsyncServer)
    options = {"serializer": serializer, "server_options": server_options}
    async with three_nodes(redis_url, prefix, count=2, **options) as two:
        yield two


@pytest.fixture
async def connect(nodes, serializer):
    """Awaited with a node it gives a python-socketio client over WebSocket, until the test ends."""
    async with contextlib.AsyncExitStack() as stack:
        yield functools.partial(enter, stack, functools.partial(client, serializer=serializer))


@pytest.fixture(scope="session")
def javascript():
    install()


@pytest.fixture(params=KINDS)
async def connect_any(request, nodes, serializer):
    """The same with every official client and transport."""
    kind, transport = request.param.split("-")
    async with contextlib.AsyncExitStack() as stack:
        make = client
        if kind == "js":
            request.getfixturevalue("javascript")
            make = (await stack.enter_async_context(js_driver())).client
        make = functools.partial(make, serializer=serializer, transports=[transport])
        yield functools.partial(enter, stack, make)


async def enter(stack, make, node, **options):
    return await stack.enter_async_context(make(node, **options))
