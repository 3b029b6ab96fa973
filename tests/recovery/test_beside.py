"""A bus that keeps nothing, with a Redis beside it: what clients get when either goes away."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from socketio_cluster import AsyncEmitter, SettingError
from tests.harness import SECONDS, eventually, three_nodes
from tests.recovery.clients import fence, take
from tests.recovery.outages import all_are_told, nothing_is_forgotten, start, stop
from tests.services.rabbitmq import RabbitServer
from tests.services.redis import RedisServer


@pytest.fixture
def rabbitmq(tmp_path):
    """A RabbitMQ of the test's own."""
    folder = tmp_path / "rabbitmq"
    folder.mkdir()
    with RabbitServer(folder) as one:
        yield one


def two_nodes(bus, prefix, redis, **options):
    return three_nodes(bus, prefix, count=2, recovery_seconds=30, recovery_url=redis, **options)


@pytest.mark.parametrize("which", ["rabbitmq", "redis", "both"])
async def test_a_restart_that_forgets_nothing(rabbitmq, redis_that_remembers, prefix, driver, which):
    """While either is away no event comes; after it clients have their sessions and each event once."""
    redis = redis_that_remembers
    servers = {"rabbitmq": [rabbitmq], "redis": [redis], "both": [rabbitmq, redis]}[which]
    await nothing_is_forgotten(rabbitmq.url, prefix, driver, servers, recovery_url=redis.url)


async def test_a_restart_that_forgets(amqp_url, tmp_path, prefix, driver):
    """When the Redis has lost its memory, clients are told that they may have missed something."""
    with RedisServer(tmp_path) as redis:

        async def restart(a, b, _):
            await stop([redis], a, b)
            await start([redis])

        await all_are_told(amqp_url, prefix, driver, restart, recovery_url=redis.url)


async def test_without_its_redis(amqp_url, tmp_path, prefix, driver, caplog):
    """A node whose Redis is not there says so, and begins when it is."""
    redis = RedisServer(tmp_path)
    missing = "cannot reach the bus, trying on: the bus is there, but not the Redis of recovery_url"
    with caplog.at_level(logging.WARNING, "socketio_cluster.manager"), contextlib.ExitStack() as stack:
        async with three_nodes(
            amqp_url, prefix, count=1, recovery_seconds=30, recovery_url=redis.url, settled=False
        ) as [node]:
            assert any(record.getMessage().startswith(missing) for record in caplog.records)
            assert not node.manager.ready
            stack.enter_context(redis)
            await asyncio.wait_for(node.manager.node.reached(), SECONDS)
            async with driver.client(node) as client:
                await node.sio.emit("n", 1)
                await take(client, "n", 1)


async def test_an_emitter_that_knows_no_redis(amqp_url, redis_url, prefix, driver):
    """It would emit to nobody, so it says what it needs; with it, its events are kept."""
    async with (
        two_nodes(amqp_url, prefix, redis_url) as (a, _),
        driver.client(a) as client,
        AsyncEmitter(amqp_url, prefix=prefix) as blind,
        AsyncEmitter(amqp_url, prefix=prefix, recovery_url=redis_url) as emitter,
    ):
        await eventually(lambda: blind.recording.on)
        with pytest.raises(SettingError, match="give this emitter recovery_url too"):
            await blind.emit("n", 1)
        await emitter.emit("n", 2)
        await take(client, "n", 2)
        await fence(a, client)


async def test_the_last_words(amqp_url, redis_url, prefix, driver):
    """An event comes before what is asked of the client's node after it, though they go different ways."""
    async with two_nodes(amqp_url, prefix, redis_url) as (a, b):
        for number in range(20):
            async with driver.client(a) as client:
                await b.sio.emit("bye", number, to=client.sid)
                await b.sio.disconnect(client.sid)
                await take(client, "bye", number)
                await asyncio.wait_for(client.gone.wait(), SECONDS)
