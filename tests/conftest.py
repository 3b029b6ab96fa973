"""One parameter per bus; each server starts at its first use and lives for the whole run."""

from __future__ import annotations

import uuid

import pytest

from socketio_cluster.manager.native import library

BUSES = ["local", "redis", "amqp"]


@pytest.fixture(autouse=True)
def told_anew():
    """What C files are told of once in a process, they are told of once in each test."""
    library._warn.cache_clear()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    from tests.services.redis import RedisServer

    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_resp2_server(tmp_path_factory):
    from tests.services.redis import RESP2_ONLY, RedisServer

    with RedisServer(tmp_path_factory.mktemp("redis-resp2"), *RESP2_ONLY) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory):
    from tests.services.rabbitmq import RabbitServer

    with RabbitServer(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory):
    from tests.services.nats import NatsServer

    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="session")
def nats_cluster(tmp_path_factory):
    from tests.services.nats import NatsCluster

    with NatsCluster(tmp_path_factory.mktemp("nats-cluster")) as servers:
        yield servers


@pytest.fixture(scope="session")
def hub_server(tmp_path_factory):
    from tests.services.hub import HubServer

    with HubServer(tmp_path_factory.mktemp("hub")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server):
    return redis_server.url


@pytest.fixture
def redis_resp2_url(redis_resp2_server):
    return redis_resp2_server.url


@pytest.fixture
def amqp_url(rabbitmq_server):
    return rabbitmq_server.url


@pytest.fixture
def nats_url(nats_server):
    return nats_server.url


@pytest.fixture
def nats_cluster_url(nats_cluster):
    return nats_cluster.url


@pytest.fixture
def local_url(hub_server):
    return hub_server.url


@pytest.fixture
def memory_url(prefix):
    return f"memory://{prefix}"


@pytest.fixture(scope="session")
def redis_sentinel(tmp_path_factory):
    from tests.services.redis import RedisSentinel

    with RedisSentinel(tmp_path_factory.mktemp("sentinel")) as servers:
        yield servers


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory):
    from tests.services.redis import RedisCluster

    with RedisCluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture(scope="session")
def redis_shards(tmp_path_factory):
    from tests.services.redis import RedisShards

    with RedisShards(tmp_path_factory.mktemp("shards")) as servers:
        yield servers


@pytest.fixture
def redis_shards_url(redis_shards):
    return redis_shards.url


@pytest.fixture
def redis_cluster_shards_url(redis_cluster):
    return f"{redis_cluster.url}?shards=4"


@pytest.fixture
def redis_sentinel_url(redis_sentinel):
    return redis_sentinel.url


@pytest.fixture
def redis_cluster_url(redis_cluster):
    return redis_cluster.url


@pytest.fixture
def kombu_redis_url(redis_url):
    return f"kombu+{redis_url}"


@pytest.fixture(params=BUSES)
def bus_url(request):
    """The URL of a running bus, once for each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def prefix():
    """A prefix of its own keeps each test's cluster apart on a shared bus."""
    return f"t{uuid.uuid4().hex[:10]}"
