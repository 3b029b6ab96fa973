"""What is particular to the AMQP broker: partitions, the node's queue, confirms, threads, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import threading
import time

import pytest
from blockbuster import blockbuster_ctx
from kombu.transport.virtual import Channel

from socketio_cluster.manager.brokers.amqp import AmqpBroker
from socketio_cluster.manager.bus.broker import INBOX_LIMIT, Publication
from socketio_cluster.manager.bus.channels import Channels, routing_key
from socketio_cluster.manager.bus.registry import open_broker
from socketio_cluster.manager.errors import BrokerError, SettingError
from tests.services.process import free_port, program


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
    """Call it with a URL for one more broker; all are closed at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def connect(url):
            broker = await open_broker(url)
            stack.push_async_callback(broker.close)
            return broker

        yield connect


async def collect(broker, count, *, seconds=15):
    """The payloads of the first ``count`` deliveries."""
    found = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            found += [delivery.payload for delivery in await broker.receive()]
    return found


async def publish(broker, *channels_and_payloads):
    await broker.publish([Publication((channel,), payload) for channel, payload in channels_and_payloads])


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
    assert await collect(broker, 2) == [b"one", b"end"]
    await broker.unsubscribe([second])
    await publish(broker, (second, b"two"), (channels.everyone, b"end"))
    assert await collect(broker, 1) == [b"end"]


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
    assert await collect(broker, 2) == [b"once", b"end"]


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
    assert await collect(broker, 2) == [payload, b""]


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
        assert await collect(broker, 2) == [b"yes", b"end"]
        await broker.unsubscribe([channels.inbox("n")])
        await publish(broker, (channels.inbox("n"), b"no"), (channels.everyone, b"end"))
        assert await collect(broker, 1) == [b"end"]


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
    assert await collect(broker, 1) == [b"x"]


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
    assert await collect(broker, 1) == [b"x"]


async def test_kombus_memory_transport(connected, channels):
    """Another transport of kombu carries messages between two brokers."""
    sender, receiver = await connected("kombu+memory://"), await connected("kombu+memory://")
    await receiver.subscribe([channels.everyone])
    await publish(sender, *[(channels.everyone, b"%d" % number) for number in range(100)])
    assert await collect(receiver, 100) == [b"%d" % number for number in range(100)]


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
    assert await collect(receiver, 10) == [b"%d" % number for number in range(10)]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that vouches for itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [program("openssl", package="openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-out", files[0], "-keyout", files[1]],
        check=True,
        capture_output=True,
    )
    return files


@pytest.fixture
async def tls_port(rabbitmq_server, certificate):
    """A port that speaks TLS and passes everything on to RabbitMQ."""

    async def copy(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader, writer):
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", rabbitmq_server.port)
        await asyncio.gather(copy(reader, upstream_writer), copy(upstream_reader, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def test_amqps(tls_port, certificate, channels):
    """Over TLS, with a private authority's certificate, messages of all sizes arrive in order."""
    broker = await open_broker(f"amqps://guest:guest@localhost:{tls_port}//?ssl_ca_certs={certificate[0]}")
    payloads = [b"x" * (number * 997) for number in range(300)]
    try:
        await broker.subscribe([channels.everyone])
        receiving = asyncio.ensure_future(collect(broker, 300))
        await publish(broker, *[(channels.everyone, payload) for payload in payloads])
        assert await receiving == payloads
    finally:
        await broker.close()


async def test_amqps_checks_the_certificate(tls_port, certificate):
    """An unknown authority is refused, and so is a certificate for another name."""
    with pytest.raises(BrokerError, match="certificate verify failed"):
        await open_broker(f"amqps://guest:guest@localhost:{tls_port}//")
    with pytest.raises(BrokerError, match="certificate verify failed"):
        await open_broker(f"amqps://guest:guest@127.0.0.1:{tls_port}//?ssl_ca_certs={certificate[0]}")
