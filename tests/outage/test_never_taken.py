"""Messages that a bus will never take: they go alone, and nobody else notices."""

from __future__ import annotations

import asyncio
import logging

import pytest

from socketio_cluster import AsyncEmitter, BrokerError, ClientGone, EventTooLarge
from socketio_cluster.manager.bus.channels import Channels
from tests.harness import client, eventually, fence, three_nodes
from tests.services.nats import NatsServer
from tests.services.rabbitmq import RabbitServer
from tests.services.redis import RedisServer

QUICK = {"heartbeat": 0.4, "dead_after": 2.0}
BIG = "x" * 2_500_000

SILENT = ("--rename-command", "CONFIG", "")
"""Like a hosted Redis, which does not tell its settings."""

SMALL = {
    "a size": lambda folder: RedisServer(folder, "--proto-max-bulk-len", "1500000", *SILENT),
    "a buffer": lambda folder: RedisServer(folder, "--client-query-buffer-limit", "1500000", *SILENT),
    "amqp": lambda folder: RabbitServer(folder, "max_message_size = 1500000"),
}


@pytest.fixture(params=SMALL)
def small_bus(request, tmp_path_factory):
    """A server that ends the connection at a message of more than 1.5 MB, and does not say so before."""
    with SMALL[request.param](tmp_path_factory.mktemp("small")) as server:
        yield server


async def test_too_large_for_the_bus(small_bus, prefix, caplog):
    """An event that makes the bus end the connection is dropped, counted and named; all others arrive."""
    async with three_nodes(small_bus.url, prefix, count=2, **QUICK) as nodes, client(nodes[1]) as far:
        manager = nodes[0].manager
        for number in range(5):
            await nodes[0].sio.emit("n", number)
        await nodes[0].sio.emit("huge", BIG)
        for number in range(5, 10):
            await nodes[0].sio.emit("n", number)
        for number in range(10):
            assert await far.next("n") == [number]
        await eventually(lambda: manager.ready)
        await fence(nodes[0], far)
        assert manager.stats.dropped == 1
        assert manager.node.publisher.errors <= 6
    (said,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "dropped Emit 'huge'" in said.getMessage()


async def test_the_limit_of_rabbitmq_is_learnt(tmp_path, prefix):
    """RabbitMQ names its limit in its refusal: the next emit above it raises, and nobody gets any of it."""
    with SMALL["amqp"](tmp_path) as server:
        async with three_nodes(server.url, prefix, count=2, **QUICK) as nodes, client(nodes[0]) as near:
            await nodes[0].sio.emit("huge", BIG)
            assert await near.next("huge") == [BIG]
            await eventually(lambda: nodes[0].manager.stats.dropped == 1)
            with pytest.raises(EventTooLarge, match="1500000"):
                await nodes[0].sio.emit("huge", BIG)
            await fence(nodes[0], near)


async def test_the_limit_of_redis_is_asked_for(tmp_path, prefix):
    """Redis tells its limit: an emit above it raises at once, on a node and in an emitter."""
    with RedisServer(tmp_path, "--proto-max-bulk-len", "2097152") as server:
        async with three_nodes(server.url, prefix, count=2) as nodes, client(nodes[1]) as far:
            async with AsyncEmitter(server.url, prefix=prefix) as emitter:
                for one in (nodes[0].sio, emitter):
                    with pytest.raises(EventTooLarge, match="1048576"):
                        await one.emit("huge", BIG)
                await emitter.emit("small", 1)
                assert await far.next("small") == [1]
            await fence(nodes[0], far)
            assert nodes[0].manager.stats.dropped == 0
            assert nodes[0].manager.node.publisher.errors == 0


async def test_nats_tells_its_limit(tmp_path, prefix):
    """NATS tells its limit: an emit above it raises at once, and one just below it arrives."""
    with NatsServer(tmp_path, "max_payload: 100000") as server:
        async with three_nodes(server.url, prefix, count=2) as nodes, client(nodes[1]) as far:
            with pytest.raises(EventTooLarge, match="100000"):
                await nodes[0].sio.emit("huge", "x" * 100_000)
            await nodes[0].sio.emit("large", "x" * 95_000)
            assert await far.next("large") == ["x" * 95_000]
            await fence(nodes[0], far)
            assert nodes[0].manager.stats.dropped == 0


async def test_an_emitter_hears_of_a_refusal(tmp_path, prefix):
    """An emitter whose event made the bus end the connection gets an error that says why."""
    with SMALL["amqp"](tmp_path) as server:
        async with AsyncEmitter(server.url, prefix=prefix) as emitter:
            with pytest.raises(BrokerError, match="the bus takes 1500000 bytes at most"):
                await emitter.emit("huge", BIG)


async def test_a_call_that_the_bus_refuses_ends(tmp_path, prefix):
    """A call() whose event the bus does not take ends at once, not at its timeout."""
    with SMALL["amqp"](tmp_path) as server:
        async with three_nodes(server.url, prefix, count=2, **QUICK) as nodes, client(nodes[1]) as far:
            called = nodes[0].sio.call("huge", BIG, to=far.sid, timeout=60)
            with pytest.raises(ClientGone):
                await asyncio.wait_for(called, 15)


@pytest.mark.parametrize("recovery_seconds", [None, 60])
async def test_a_channel_that_is_forbidden(tmp_path, prefix, recovery_seconds):
    """Events to a channel that Redis forbids are dropped and counted; the node stays on the bus."""
    names = Channels(prefix)
    with RedisServer(tmp_path) as server:
        ours = (names.everyone, names.inbox("*"), names.namespace("/"), names.bridges_beside(names.everyone))
        allowed = [f"&{channel}" for channel in ours]
        server.ask("ACL", "SETUSER", "app", "on", ">secret", "+@all", "~*", *allowed)
        url = server.url.replace("//", "//app:secret@")
        options = {"count": 2, "recovery_seconds": recovery_seconds}
        async with three_nodes(url, prefix, **options) as nodes, client(nodes[1]) as far:
            await nodes[0].sio.emit("secret", room="red")
            await nodes[0].sio.emit("open")
            assert await far.next("open") == []
            assert nodes[0].manager.stats.dropped == 1
            assert nodes[0].manager.stats.reconnects == 0
            assert nodes[0].manager.ready


@pytest.mark.parametrize("buffer", [64 * 1024, None])
async def test_too_large_for_the_buffer(bus_url, prefix, buffer):
    """An emit above buffer_bytes raises before anybody has got it, and evicts nothing."""
    options = {"buffer_bytes": buffer} if buffer else {}
    async with three_nodes(bus_url, prefix, count=2, **options) as nodes:
        async with client(nodes[0]) as near, client(nodes[1]) as far:
            sizes = nodes[0].manager.node.shards[0].publisher.backlog.size
            with pytest.raises(EventTooLarge):
                await nodes[0].sio.emit("huge", "x" * (buffer or 32 * 2**20))
            assert nodes[0].manager.node.shards[0].publisher.backlog.size == sizes
            await nodes[0].sio.emit("huge", "y" * 100_000, to=near.sid)
            assert await near.next("huge") == ["y" * 100_000], "it needs no bus"
            await fence(nodes[0], near, far)
            assert nodes[0].manager.stats.dropped == 0
