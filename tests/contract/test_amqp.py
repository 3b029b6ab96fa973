"""What is particular to the AMQP broker: partitions, its queue, its threads, the size of frames, URLs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from socketio_cluster.manager.bus.broker import INBOX_LIMIT, Publication
from socketio_cluster.manager.bus.channels import routing_key
from socketio_cluster.manager.bus.registry import open_broker
from socketio_cluster.manager.errors import BrokerError, SettingError
from tests.contract.payloads import payloads, publish
from tests.services.process import free_port


def neighbours(channels):
    """Two rooms of one partition."""
    first = channels.room("/", "0")
    rooms = (channels.room("/", str(number)) for number in range(1, 100_000))
    return first, next(room for room in rooms if routing_key(room) == routing_key(first))


async def rows(server, *question):
    return await asyncio.to_thread(server.ask, *question)


async def test_a_partition_is_kept_while_one_of_its_rooms_is_taken(amqp_url, connected, channels):
    """Of two rooms in one partition the first to go changes nothing, and with the second it ends."""
    broker = await connected(amqp_url)
    first, second = neighbours(channels)
    await broker.subscribe([first, second, channels.everyone])
    await broker.unsubscribe([first])
    await publish(broker, (second, b"one"), (channels.everyone, b"end"))
    assert await payloads(broker, 2) == [b"one", b"end"]
    await broker.unsubscribe([second])
    await publish(broker, (second, b"two"), (channels.everyone, b"end"))
    assert await payloads(broker, 1) == [b"end"]


async def test_rooms_share_64_bindings(rabbitmq_server, connected, channels):
    """A thousand rooms make 64 bindings, and giving them up takes all of these back."""
    broker = await connected(rabbitmq_server.url)

    async def bindings():
        found = await rows(rabbitmq_server, "list_bindings", "source_name", "routing_key")
        return sum(
            ":part:" in row["routing_key"] and channels.everyone[:-3] in row["routing_key"] for row in found
        )

    rooms = [channels.room("/", number) for number in range(1000)]
    await broker.subscribe(rooms)
    assert await bindings() == 64
    await broker.unsubscribe(rooms)
    assert await bindings() == 0


async def test_one_message_to_rooms_of_one_partition_is_sent_once(amqp_url, connected, channels):
    """A message to two rooms that share a partition crosses the bus once."""
    broker = await connected(amqp_url)
    rooms = neighbours(channels)
    await broker.subscribe([*rooms, channels.everyone])
    await broker.publish([Publication(rooms, b"once"), Publication((channels.everyone,), b"end")])
    assert await payloads(broker, 2) == [b"once", b"end"]


async def test_the_queue_lives_and_dies_with_the_connection(rabbitmq_server, connected, channels):
    """A node has one queue, exclusive and transient, which is gone once close() returns."""
    columns = ("name", "exclusive", "durable", "auto_delete")
    before = await rows(rabbitmq_server, "list_queues", *columns)
    broker = await connected(rabbitmq_server.url)
    await broker.subscribe([channels.everyone])
    [queue] = [row for row in await rows(rabbitmq_server, "list_queues", *columns) if row not in before]
    assert (queue["exclusive"], queue["durable"], queue["auto_delete"]) == (True, False, True)
    await broker.close()
    assert queue not in await rows(rabbitmq_server, "list_queues", *columns)


async def test_close_ends_the_threads(amqp_url, connected):
    """After close() has returned none of the broker's threads is left."""

    def threads():
        return {thread for thread in threading.enumerate() if thread.name.startswith("amqp-")}

    before = threads()
    broker = await connected(amqp_url)
    assert len(threads() - before) == 2
    await broker.close()
    assert threads() <= before


@pytest.mark.parametrize("size", [131_063, 131_064, 131_065, 262_128, 262_129, 1_000_000])
async def test_a_payload_of_any_size_crosses_in_frames(amqp_url, connected, channels, size):
    """Payloads just below, at and above the size of a frame arrive as they are."""
    broker = await connected(amqp_url)
    await broker.subscribe([channels.everyone])
    payload = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    await publish(broker, (channels.everyone, payload), (channels.everyone, b""))
    assert await payloads(broker, 2) == [payload, b""]


async def test_a_cancelled_subscribe_leaves_the_broker_right(amqp_url, connected, channels):
    """However subscribe and unsubscribe are cancelled, the next call puts the bindings right."""
    broker = await connected(amqp_url)
    await broker.subscribe([channels.everyone])
    for steps in range(8):
        for call in (broker.subscribe, broker.unsubscribe):
            task = asyncio.ensure_future(call([channels.inbox("n")]))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        await broker.subscribe([channels.inbox("n")])
        await publish(broker, (channels.inbox("n"), b"yes"), (channels.everyone, b"end"))
        assert await payloads(broker, 2) == [b"yes", b"end"]
        await broker.unsubscribe([channels.inbox("n")])
        await publish(broker, (channels.inbox("n"), b"no"), (channels.everyone, b"end"))
        assert await payloads(broker, 1) == [b"end"]


async def test_a_reader_that_never_reads_breaks_the_broker(amqp_url, connected, channels):
    """When more waits for receive() than the inbox may hold, the broker ends instead of dropping any."""
    receiver, sender = await connected(amqp_url), await connected(amqp_url)
    await receiver.subscribe([channels.everyone])
    megabyte = b"x" * 2**20

    async def flood():
        for _ in range(4 * INBOX_LIMIT // len(megabyte)):
            await publish(sender, (channels.everyone, megabyte))
            await receiver.subscribe([])  # says when the broker has ended

    with pytest.raises(BrokerError, match="64 MiB behind"):
        await flood()
    kept = await receiver.receive()
    assert 0 < sum(len(delivery.payload) for delivery in kept) <= INBOX_LIMIT
    with pytest.raises(BrokerError, match="64 MiB behind"):
        await receiver.receive()


async def test_errors_name_the_server_and_never_the_password(rabbitmq_server):
    """A refused login and a refused connection name host and port; the password is in neither."""
    for port in (rabbitmq_server.port, free_port()):
        with pytest.raises(BrokerError, match=f"127.0.0.1:{port}") as caught:
            await open_broker(f"amqp://somebody:hunter2@127.0.0.1:{port}//")
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "kombu+nosuch://host",
        "amqp://:hunter2@host:port",
        "amqp://:hunter2@[::1",
        "amqp://:hunter2@h?colour=red",
    ],
)
async def test_a_url_that_cannot_work_is_a_setting_error(url):
    """An unknown transport, a port that is no number and an unknown option are said at once."""
    with pytest.raises(SettingError) as caught:
        await open_broker(url)
    assert "hunter2" not in str(caught.value)


async def test_the_next_server_is_tried(amqp_url, connected, channels):
    """Of several servers in a URL the first that answers is used."""
    broker = await connected(f"amqp://127.0.0.1:{free_port()};{amqp_url}")
    await broker.subscribe([channels.everyone])
    await publish(broker, (channels.everyone, b"x"))
    assert await payloads(broker, 1) == [b"x"]


async def test_kombus_memory_transport(connected, channels):
    """Another transport of kombu carries messages between two brokers."""
    sender, receiver = await connected("kombu+memory://"), await connected("kombu+memory://")
    await receiver.subscribe([channels.everyone])
    await publish(sender, *[(channels.everyone, b"%d" % number) for number in range(100)])
    assert await payloads(receiver, 100) == [b"%d" % number for number in range(100)]
