"""An AMQP broker notices a server that stands still, and not one that is only slow."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from kombu.transport.virtual import Channel

from socketio_cluster.manager.brokers.amqp import AmqpBroker
from socketio_cluster.manager.errors import BrokerError
from tests.contract.payloads import payloads, publish


@contextlib.contextmanager
def paused(server):
    server.pause()
    try:
        yield
    finally:
        server.resume()


async def longest_lag(until):
    """The longest time, in seconds, that the event loop kept a task waiting while ``until`` ran."""
    longest, last = 0.0, time.monotonic()
    while not until.done():
        await asyncio.sleep(0.01)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


@pytest.mark.alone
async def test_a_server_that_stands_still_is_noticed(rabbitmq_server, connected, channels):
    """Without its confirms and answers publish, subscribe and connect raise within 6 s; the loop goes on."""
    publisher, subscriber = await connected(rabbitmq_server.url), await connected(rabbitmq_server.url)
    flooded = await connected(rabbitmq_server.url)
    started = time.monotonic()
    with paused(rabbitmq_server):
        calls = asyncio.gather(
            publish(publisher, (channels.everyone, b"x")),
            publish(flooded, *[(channels.everyone, b"x" * 2**20)] * 32),  # more than the sockets buffer
            subscriber.subscribe([channels.everyone]),
            connected(rabbitmq_server.url),
            return_exceptions=True,
        )
        assert await longest_lag(calls) < 0.5
    assert time.monotonic() - started < 6
    for error in await calls:
        assert isinstance(error, BrokerError)
        assert str(error) == f"amqp://127.0.0.1:{rabbitmq_server.port} has not answered for 5 s"


async def test_close_does_not_wait_for_a_server_that_stands_still(rabbitmq_server, connected, channels):
    """close() returns within 2 s, also while a publish waits for its confirm, which then raises."""
    broker = await connected(rabbitmq_server.url)
    with paused(rabbitmq_server):
        publishing = asyncio.ensure_future(publish(broker, (channels.everyone, b"x")))
        await asyncio.sleep(0)
        started = time.monotonic()
        await broker.close()
        assert time.monotonic() - started < 2
        with pytest.raises(BrokerError, match="closed"):
            await publishing


async def test_missed_heartbeats_end_an_idle_broker(rabbitmq_server, connected):
    """A broker that only waits notices by the heartbeat (1 s here) that its server stands still."""
    broker = await connected(f"{rabbitmq_server.url}?heartbeat=1")
    with paused(rabbitmq_server), pytest.raises(BrokerError, match="heartbeats"):
        await asyncio.wait_for(broker.receive(), 8)


async def test_heartbeats_keep_an_idle_broker(rabbitmq_server, connected, channels):
    """An idle broker is alive after several heartbeats (2 s here) on both of its connections."""
    broker = await connected(f"{rabbitmq_server.url}?heartbeat=2")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(broker.receive(), 7)
    await broker.subscribe([channels.everyone])
    await publish(broker, (channels.everyone, b"x"))
    assert await payloads(broker, 1) == [b"x"]


async def test_a_long_batch_is_not_a_silent_server(connected, channels, monkeypatch):
    """A batch that takes longer than a server may be silent arrives, as its messages do one by one."""
    send = Channel.basic_publish

    def slowly(*args, **kwargs):
        time.sleep(0.1)
        return send(*args, **kwargs)

    monkeypatch.setattr(Channel, "basic_publish", slowly)
    monkeypatch.setattr(AmqpBroker._call, "__defaults__", (0.5,))
    sender, receiver = await connected("kombu+memory://"), await connected("kombu+memory://")
    await receiver.subscribe([channels.everyone])
    await publish(sender, *[(channels.everyone, b"%d" % number) for number in range(10)])
    assert await payloads(receiver, 10) == [b"%d" % number for number in range(10)]
