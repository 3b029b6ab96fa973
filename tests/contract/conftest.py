"""Every kind of broker, and servers that a test may kill."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from blockbuster import blockbuster_ctx

from socketio_cluster.manager.bus.channels import Channels, routing_key
from socketio_cluster.manager.bus.registry import open_broker

KINDS = ["local", "memory", "redis", "redis-resp2", "redis-sentinel", "redis-cluster"]
KINDS += ["amqp", "kombu-redis", "nats", "nats-cluster"]
BESIDE = ["amqp-with-redis", "nats-with-redis"]
OWN = ["local", "redis", "amqp", "nats"]


@pytest.fixture(params=[*KINDS, *BESIDE])
def broker_url(request):
    """The URL of a running bus, once for each kind of broker."""
    return request.getfixturevalue(f"{request.param.replace('-', '_')}_url")


@pytest.fixture
def amqp_with_redis_url(amqp_url, redis_url):
    """The URLs of a bus and of the Redis beside it."""
    return amqp_url, redis_url


@pytest.fixture
def nats_with_redis_url(nats_url, redis_url):
    return nats_url, redis_url


@pytest.fixture(params=OWN)
def own_server(request, tmp_path):
    """A server of the test's own, to be killed or stopped."""
    if request.param == "local":
        from tests.services.hub import HubServer as Server
    elif request.param == "redis":
        from tests.services.redis import RedisServer as Server
    elif request.param == "nats":
        from tests.services.nats import NatsServer as Server
    else:
        from tests.services.rabbitmq import RabbitServer as Server
    with Server(tmp_path) as server:
        yield server


@pytest.fixture(autouse=True)
def blocking():
    """Whatever blocks the event loop from within the manager raises."""
    with blockbuster_ctx("socketio_cluster.manager"):
        yield


@pytest.fixture
def channels(prefix):
    return Channels(prefix)


@pytest.fixture
async def connected():
    """Call it with a URL, or two, for one more broker; all are closed at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def connect(url):
            broker = await open_broker(*([url] if isinstance(url, str) else url))
            stack.push_async_callback(broker.close)
            return broker

        yield connect


@pytest.fixture
async def pair(broker_url, connected):
    """Two brokers on one bus: one to publish, one to receive."""
    return await connected(broker_url), await connected(broker_url)


async def collect(broker, count, *, seconds=15):
    """The first ``count`` deliveries, and what came with the last of them."""
    found = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            found += await broker.receive()
    return found


def names_of(channel):
    """What ``Delivery.channel`` may say: the channel itself, or on AMQP its partition."""
    return {channel, routing_key(channel)}
