"""Three nodes with recovery, a door in front of them, and official JavaScript clients."""

from __future__ import annotations

import contextlib

import pytest
from blockbuster import blockbuster_ctx

from tests.harness import three_nodes
from tests.jsclient import install, js_driver
from tests.recovery.clients import SOON
from tests.recovery.door import Door
from tests.services.redis import RedisServer

BUSES = ["local", "redis", "amqp"]

BESIDE = ["amqp", "nats"]


@pytest.fixture(autouse=True)
def blocking():
    """Whatever blocks the event loop from within the manager raises."""
    with blockbuster_ctx("socketio_cluster.manager"):
        yield


@pytest.fixture(params=BUSES)
def bus_url(request, monkeypatch):
    """The URL of a running bus, once for each kind. One that keeps nothing has a Redis beside it."""
    if request.param in BESIDE:
        monkeypatch.setenv("CLUSTER_RECOVERY_URL", request.getfixturevalue("redis_url"))
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def redis_that_remembers(tmp_path):
    """A Redis of the test's own that writes all that it is told to a file."""
    with RedisServer(tmp_path / "redis", "--appendonly", "yes") as one:
        yield one


OPTIONS = {
    "local": {},
    "redis": {"--bus": "redis_url"},
    "amqp": {"--bus": "amqp_url", "--recovery-url": "redis_url"},
}
"""The options of ``serve`` for each bus, with the fixtures of their values."""


@pytest.fixture(params=OPTIONS)
def serving(request, prefix):
    """The options with which ``serve`` starts three workers with recovery, once for each bus."""
    bus = [f"{option}={request.getfixturevalue(url)}" for option, url in OPTIONS[request.param].items()]
    return [
        *("--port=0", "--direct-port=0", "--workers=3", "--recovery-seconds=60", f"--prefix={prefix}"),
        *bus,
    ]


@pytest.fixture
def recovery_seconds():
    return 30


@pytest.fixture
def serializer():
    return "default"


@pytest.fixture
async def nodes(bus_url, prefix, serializer, recovery_seconds):
    async with three_nodes(
        bus_url, prefix, serializer=serializer, recovery_seconds=recovery_seconds
    ) as three:
        yield three


@pytest.fixture
async def door(nodes):
    """A door that leads to the first node."""
    one = Door(nodes[0])
    await one.open()
    yield one
    await one.close()


@pytest.fixture
async def driver():
    install()
    async with js_driver() as one:
        yield one


@pytest.fixture
async def connect(driver, door, serializer):
    """Awaited, it gives an official client that comes through the door, and comes back by itself."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**options):
            options = {"serializer": serializer, "reconnection": True} | SOON | options
            one = await stack.enter_async_context(driver.client(door, **options))
            assert not await one.connects.get()
            return one

        yield make


@pytest.fixture
def manager_of():
    """The manager of a node, whose calls say whom something is for."""
    return lambda node: node.manager
