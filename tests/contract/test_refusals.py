"""What a broker says of messages that its server does not take."""

from __future__ import annotations

import pytest
from kombu import Connection

from socketio_cluster.manager.brokers.amqp_session import EXCHANGE
from socketio_cluster.manager.brokers.redis_commands import GROUP
from socketio_cluster.manager.bus.broker import LARGEST, Publication
from socketio_cluster.manager.bus.outgoing import BATCH_ENTRIES
from socketio_cluster.manager.bus.store import Begin, Read, cluster_of
from socketio_cluster.manager.errors import PublishError, PublishRefused, WrongServer
from tests.contract.conftest import collect
from tests.contract.test_store import envelope, event
from tests.services.rabbitmq import RabbitServer
from tests.services.redis import RedisServer


@pytest.fixture
def full_queue(amqp_url, channels):
    """A queue that holds nothing and refuses what is too much, on an inbox."""
    with Connection(amqp_url) as connection:
        channel = connection.default_channel
        channel.queue_declare(
            "full", exclusive=True, arguments={"x-max-length": 0, "x-overflow": "reject-publish"}
        )
        channel.exchange_declare(EXCHANGE, "direct", durable=True, auto_delete=False)
        channel.queue_bind("full", EXCHANGE, channels.inbox("full"))
        yield channels.inbox("full")


async def test_a_queue_that_refuses(amqp_url, connected, channels, full_queue):
    """A nack names the message it is for; the others are taken, and the broker goes on."""
    broker = await connected(amqp_url)
    await broker.subscribe([channels.everyone])
    good, bad = Publication((channels.everyone,), b"good"), Publication((channels.everyone, full_queue), b"x")
    with pytest.raises(PublishRefused) as caught:
        await broker.publish([good, bad, good, bad])
    assert sorted(caught.value.reasons) == [1, 3]
    await broker.publish([good])
    assert [d.payload for d in await collect(broker, 5)] == [b"good", b"x", b"good", b"x", b"good"]


async def test_a_channel_that_is_forbidden(tmp_path, connected, channels):
    """NOPERM names the message it is for; the others are taken, and the broker goes on."""
    with RedisServer(tmp_path) as server:
        server.ask("ACL", "SETUSER", "app", "on", ">secret", "+@all", f"&{channels.everyone}")
        broker = await connected(server.url.replace("//", "//app:secret@"))
        await broker.subscribe([channels.everyone])
        good = Publication((channels.everyone,), b"good")
        bad = Publication((channels.everyone, channels.inbox("no"), channels.inbox("nor")), b"x")
        with pytest.raises(PublishRefused) as caught:
            await broker.publish([good, bad, good, bad])
        assert sorted(caught.value.reasons) == [1, 3]
        assert "secret" not in str(caught.value)
        await broker.publish([good])
        assert [d.payload for d in await collect(broker, 5)] == [b"good", b"x", b"good", b"x", b"good"]


@pytest.fixture
async def only_red(tmp_path, connected, channels):
    """A server with its history, a broker that may publish to one of two channels there, and these."""
    with RedisServer(tmp_path) as server:
        red, blue = channels.room("/", "red"), channels.room("/", "blue")
        server.ask("ACL", "SETUSER", "app", "on", ">secret", "+@all", "~*", f"&{red}")
        broker = await connected(server.url.replace("//", "//app:secret@"))
        place = await broker.ask(cluster_of(channels.everyone), Begin(60.0, 1_000_000))
        yield server, broker, place, red, blue


async def test_recording_in_a_channel_that_is_forbidden(only_red, channels):
    """An event that may not be published is named and not kept; all others are, once; the broker goes on."""
    server, broker, place, red, blue = only_red
    cluster = cluster_of(channels.everyone)
    notice = Publication((blue,), b"x")
    events = [event(1, red), notice, event(2, red, blue), event(3, red), event(4, blue)]
    with pytest.raises(PublishRefused) as caught:
        await broker.publish(events)
    assert sorted(caught.value.reasons) == [1, 2, 4]
    assert "can't publish to the channel" in caught.value.reasons[2]
    await broker.publish([event(1, red), event(3, red), event(5, red)])
    for histories in (None, [red], [red, blue]):
        kept = await broker.ask(cluster, Read(histories, place.last, 100, 1_000_000))
        assert [payload for _, payload in kept.events] == [envelope(1), envelope(3), envelope(5)]


async def test_many_that_are_forbidden(only_red, channels):
    """Groups of recorded events follow each other, whatever was refused before."""
    server, broker, place, red, blue = only_red
    cluster = cluster_of(channels.everyone)
    bad = [index for index in range(2 * GROUP + 5) if index % 2]
    assert GROUP - 1 in bad
    numbers = range(1, 2 * GROUP + 6)
    with pytest.raises(PublishRefused) as caught:
        await broker.publish([event(number, blue if number - 1 in bad else red) for number in numbers])
    assert sorted(caught.value.reasons) == bad
    kept = await broker.ask(cluster, Read(None, place.last, 2 * GROUP, 1_000_000))
    good = [number for number in numbers if number - 1 not in bad]
    assert [payload for _, payload in kept.events] == [envelope(number) for number in good]


async def test_a_refusal_is_told_again(only_red, channels):
    """Redis may have recorded a batch whose reply is lost: sent again, the same events are refused."""
    server, broker, place, red, blue = only_red
    count = GROUP + 2
    batch = [event(1, red), *(event(number, blue) for number in range(2, count + 1))]
    told = []
    for some in (batch, batch, [*batch, event(count + 1, red), event(count + 2, blue)], batch[1:2]):
        with pytest.raises(PublishRefused) as caught:
            await broker.publish(some)
        told.append(caught.value.reasons)
    blues = list(range(1, count))
    assert [sorted(each) for each in told] == [blues, blues, [*blues, count + 1], [0]]
    assert told[1] == told[0]
    assert server.ask("LLEN", refusals_of(channels)) == b":%d\r\n" % count
    left = [int(server.ask("PTTL", key)[1:]) for key in (refusals_of(channels), sent_of(channels))]
    assert max(left) - min(left) < 1000 < min(left)
    await broker.publish([event(1, red)])
    numbers = range(count + 3, count + 3 + BATCH_ENTRIES)
    with pytest.raises(PublishRefused):
        await broker.publish([event(number, blue) for number in numbers])
    assert server.ask("LLEN", refusals_of(channels)) == b":%d\r\n" % BATCH_ENTRIES


async def test_a_refusal_before_a_failure_is_told(tmp_path, connected, channels):
    """A script that fails after it has refused an event cannot say so; it is said at the next try."""
    with RedisServer(tmp_path) as server:
        red, green, blue = (channels.room("/", name) for name in ("red", "green", "blue"))
        kept = f"~{cluster_of(channels.everyone)}:recovery*"
        server.ask("ACL", "SETUSER", "app", "on", ">secret", "+@all", kept, f"~{red}", f"~{green}")
        server.ask("RPUSH", green, "a list, to which nobody can append")
        batch = [event(1, red), event(2, blue), event(3, green)]

        async def publish():
            # PUBLISH fails for no other reason than that it is forbidden; APPEND does.
            broker = await connected(server.url.replace("//", "//app:secret@"))
            broker._words = broker._words._replace(publish=b"APPEND")
            await broker.ask(cluster_of(channels.everyone), Begin(60.0, 1_000_000))
            await broker.publish(batch)

        with pytest.raises(PublishError, match="cannot publish: WRONGTYPE"):
            await publish()
        server.ask("DEL", green)
        with pytest.raises(PublishRefused) as caught:
            await publish()
        assert sorted(caught.value.reasons) == [1]
        assert server.ask("STRLEN", green) != b":0\r\n"


def refusals_of(channels):
    return f"{cluster_of(channels.everyone)}:recovery:refused:nodenode"


def sent_of(channels):
    return f"{cluster_of(channels.everyone)}:recovery:sent:nodenode"


@pytest.mark.parametrize("option", ["proto-max-bulk-len", "client-query-buffer-limit"])
async def test_a_connection_ended_by_a_message(tmp_path, connected, channels, option):
    """Redis ends the connection at a message above a limit of its own: that is a PublishError."""
    with RedisServer(tmp_path, f"--{option}", "1500000") as server:
        broker = await connected(server.url)
        await broker.subscribe([channels.everyone])
        with pytest.raises(PublishError):
            await broker.publish([Publication((channels.everyone,), bytes(2_000_000))])
        with pytest.raises(PublishError):
            await broker.receive()


async def test_rabbitmq_tells_its_limit(tmp_path, connected, channels):
    """RabbitMQ's refusal of a message that is too large tells how large one may be."""
    with RabbitServer(tmp_path, "max_message_size = 100000") as server:
        broker = await connected(server.url)
        assert broker.limit is None
        with pytest.raises(PublishError) as caught:
            await broker.publish([Publication((channels.everyone,), bytes(100_001))])
        assert caught.value.limit == 100_000


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ([], 31),
        (["--rename-command", "CONFIG", ""], 31),
        (["--client-output-buffer-limit", "pubsub 8mb 0 0"], 7),
        (["--client-output-buffer-limit", "pubsub 0 0 0"], 511),
        (["--proto-max-bulk-len", "4mb"], 3),
        (["--client-query-buffer-limit", "5mb"], 4),
    ],
)
async def test_redis_tells_its_limit(tmp_path, connected, options, limit):
    """The limit of a Redis is a MiB below the smallest of its three; 0 is none, the default is assumed."""
    with RedisServer(tmp_path, *options) as server:
        assert (await connected(server.url)).limit == limit * 2**20


async def test_the_local_bus_has_the_limit_of_every_inbox(local_url, connected, channels):
    """The largest payload there is passes the local bus."""
    broker = await connected(local_url)
    assert broker.limit == LARGEST
    await broker.subscribe([channels.everyone])
    await broker.publish([Publication((channels.everyone,), bytes(LARGEST))])
    assert len((await collect(broker, 1))[0].payload) == LARGEST


async def test_a_replica_is_refused(redis_sentinel, connected):
    """A replica takes messages and hands them to nobody else: it is no bus."""
    with pytest.raises(WrongServer, match=f"127.0.0.1:{redis_sentinel.replica.port} is not the primary"):
        await connected(redis_sentinel.replica.url)


async def test_a_primary_that_becomes_a_replica(tmp_path, connected, channels):
    """A failover that leaves the connections alone is found out when the server is asked."""
    with RedisServer(tmp_path / "new") as new, RedisServer(tmp_path / "old") as old:
        broker = await connected(old.url)
        await broker.check()
        old.ask("REPLICAOF", "127.0.0.1", str(new.port))
        with pytest.raises(WrongServer, match="not the primary"):
            await broker.check()
        with pytest.raises(WrongServer):
            await broker.publish([Publication((channels.everyone,), b"x")])


async def test_a_server_that_does_not_tell_its_role(tmp_path, connected, channels):
    """A user who may not send ROLE is served: the server is asked once and then left alone."""
    with RedisServer(tmp_path) as server:
        server.ask("ACL", "SETUSER", "app", "on", ">secret", "allchannels", "+@pubsub", "+select")
        broker = await connected(server.url.replace("//", "//app:secret@"))
        await broker.subscribe([channels.everyone])
        await broker.check()
        await broker.publish([Publication((channels.everyone,), b"x")])
        assert [d.payload for d in await collect(broker, 1)] == [b"x"]
