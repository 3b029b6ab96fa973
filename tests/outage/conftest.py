"""A bus of the test's own, that it may stop, start again and freeze."""

from __future__ import annotations

import pytest

from tests.services.hub import HubServer
from tests.services.nats import NatsServer
from tests.services.rabbitmq import RabbitServer
from tests.services.redis import RedisServer

SERVERS = {"local": HubServer, "redis": RedisServer, "amqp": RabbitServer, "nats": NatsServer}


@pytest.fixture(params=SERVERS)
def bus_url(request):
    """The URL of a running bus, once for each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=SERVERS)
def bus(request, tmp_path_factory):
    """A running server with ``url``, ``stop()``, ``start()``, ``pause()`` and ``resume()``."""
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as server:
        yield server
