"""What every broker promises, on every kind of bus."""

from __future__ import annotations

import asyncio
import time

import pytest

from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.errors import BrokerError
from tests.contract.conftest import collect, names_of


def message(channel, payload):
    return Publication((channel,), payload)


async def test_subscribe_is_effective_when_it_returns(pair, channels):
    """What another broker publishes right after subscribe() has returned arrives."""
    sender, receiver = pair
    for number in range(20):
        room = channels.room("/", f"room {number}")
        await receiver.subscribe([room])
        await sender.publish([message(room, b"%d" % number)])
        [delivery] = await collect(receiver, 1)
        assert delivery.payload == b"%d" % number
        assert delivery.channel in names_of(room)


async def test_taking_many_channels_is_effective_too(pair, channels):
    """subscribe() returns after the last of many channels, also to a caller who shares one of them."""
    sender, receiver = pair
    rooms = [channels.room("/", number) for number in range(20_000)]

    async def take(names, payload):
        await receiver.subscribe(names)
        await sender.publish([message(rooms[-1], payload)])

    await asyncio.gather(take(rooms, b"all"), take(rooms[-1:], b"shared"))
    assert {d.payload for d in await collect(receiver, 2)} == {b"all", b"shared"}


async def test_order_holds_over_several_channels(pair, channels):
    """What one broker publishes arrives in that order, whatever the channels."""
    sender, receiver = pair
    names = [channels.everyone, channels.inbox("n1"), channels.room("/", "a"), channels.room("/", "b")]
    await receiver.subscribe(names)
    batch = [message(names[number % 4], b"%d" % number) for number in range(400)]
    for start in range(0, 400, 50):
        await sender.publish(batch[start : start + 50])
    assert [d.payload for d in await collect(receiver, 400)] == [p.payload for p in batch]


async def test_a_big_batch_arrives_whole(pair, channels):
    """A batch of 2000 messages with one of 1 MiB among them arrives whole and in order."""
    sender, receiver = pair
    await receiver.subscribe([channels.everyone])
    payloads = [(b"%d:" % number).ljust(100, b"x") for number in range(2000)]
    payloads[1000] = b"big" * 349_526
    await sender.publish([message(channels.everyone, payload) for payload in payloads])
    assert [d.payload for d in await collect(receiver, 2000)] == payloads


@pytest.mark.parametrize("payload", [b"", bytes(range(256)), b"\r\n$5\r\nhello\r\n", "żółw".encode("utf-16")])
async def test_a_payload_is_any_bytes(pair, channels, payload):
    """Payloads arrive as they are, the empty one and those that look like a protocol included."""
    sender, receiver = pair
    await receiver.subscribe([channels.everyone])
    await sender.publish([message(channels.everyone, payload)])
    assert [d.payload for d in await collect(receiver, 1)] == [payload]


async def test_a_channel_name_is_any_text(pair, channels):
    """Rooms with spaces, line ends, wildcards and letters of any script are channels like others."""
    sender, receiver = pair
    rooms = [channels.room("/", name) for name in ("a b", "line\r\nend", "*#.?[x]", "комната", "{x}", "")]
    for room in rooms:
        await receiver.subscribe([room])
    for room in rooms:
        await sender.publish([message(room, room.encode())])
        [delivery] = await collect(receiver, 1)
        assert delivery.payload == room.encode()
        assert delivery.channel in names_of(room)


async def test_an_empty_batch_is_nothing(pair, channels):
    """Publishing nothing, and subscribing to nothing, returns and changes nothing."""
    sender, receiver = pair
    await sender.publish([])
    await sender.subscribe([])
    await sender.unsubscribe([])
    await receiver.subscribe([channels.everyone])
    await receiver.unsubscribe([])
    await sender.publish([message(channels.everyone, b"still here")])
    assert (await collect(receiver, 1))[0].payload == b"still here"


async def test_unsubscribe_ends_the_deliveries(pair, channels):
    """After unsubscribe() nothing comes of that channel while others go on."""
    sender, receiver = pair
    await receiver.subscribe([channels.inbox("old"), channels.inbox("kept")])
    await receiver.unsubscribe([channels.inbox("old")])
    await sender.publish([message(channels.inbox("old"), b"no"), message(channels.inbox("kept"), b"yes")])
    assert [d.payload for d in await collect(receiver, 1)] == [b"yes"]


async def test_a_channel_may_be_taken_again(pair, channels):
    """Taken, given up and taken again, a channel delivers."""
    sender, receiver = pair
    for _ in range(3):
        await receiver.unsubscribe([channels.everyone])
        await receiver.subscribe([channels.everyone])
    await sender.publish([message(channels.everyone, b"x")])
    assert [d.payload for d in await collect(receiver, 1)] == [b"x"]


async def test_subscribing_twice_delivers_once(pair, channels):
    """A channel that is already taken is ignored, in the same call and in a later one."""
    sender, receiver = pair
    await receiver.subscribe([channels.everyone, channels.everyone])
    await receiver.subscribe([channels.everyone])
    await sender.publish([message(channels.everyone, b"one"), message(channels.everyone, b"two")])
    assert [d.payload for d in await collect(receiver, 2)] == [b"one", b"two"]


async def test_concurrent_subscribers_all_wait(pair, channels):
    """Each of many concurrent subscribe() calls, also for the same channel, returns when it is effective."""
    sender, receiver = pair
    rooms = [channels.room("/", number % 10) for number in range(30)]

    async def take(room):
        await receiver.subscribe([room])
        await sender.publish([message(room, room.encode())])

    await asyncio.gather(*map(take, rooms))
    assert {d.payload for d in await collect(receiver, 30)} == {room.encode() for room in rooms}


async def test_a_message_to_several_channels(pair, channels):
    """A subscriber of several of a message's channels gets it at least once, one of none does not."""
    sender, receiver = pair
    rooms = tuple(channels.inbox(name) for name in "abc")
    await receiver.subscribe(rooms[:2])
    await sender.publish([Publication(rooms, b"x"), Publication(rooms[2:], b"no"), message(rooms[0], b"end")])
    payloads = []
    while b"end" not in payloads:
        payloads += [d.payload for d in await collect(receiver, 1)]
    assert set(payloads[:-1]) == {b"x"}
    assert len(payloads) <= 3


async def test_many_subscribers_get_each_message(broker_url, connected, channels):
    """A message goes to every subscriber of its channel."""
    brokers = [await connected(broker_url) for _ in range(4)]
    for broker in brokers:
        await broker.subscribe([channels.everyone])
    await brokers[0].publish([message(channels.everyone, b"x")])
    for broker in brokers[1:]:
        assert [d.payload for d in await collect(broker, 1)] == [b"x"]


async def test_cancelling_receive_loses_nothing(pair, channels):
    """A receive() cancelled again and again while messages arrive loses none of them."""
    sender, receiver = pair
    await receiver.subscribe([channels.everyone])
    publishing = asyncio.gather(
        *(sender.publish([message(channels.everyone, b"%d" % number)]) for number in range(200))
    )
    found = []
    while len(found) < 200:
        receiving = asyncio.ensure_future(receiver.receive())
        await asyncio.sleep(0)
        receiving.cancel()
        try:
            found += await receiving
        except asyncio.CancelledError:
            found += await asyncio.wait_for(receiver.receive(), 15)
    await publishing
    assert sorted(int(d.payload) for d in found) == list(range(200))


async def test_close_twice(pair, channels):
    """close() may be called twice; afterwards every call raises BrokerError."""
    broker, _ = pair
    await broker.subscribe([channels.everyone])
    await broker.close()
    await broker.close()
    for call in (broker.receive(), broker.publish([message(channels.everyone, b"x")])):
        with pytest.raises(BrokerError):
            await asyncio.wait_for(call, 5)
    with pytest.raises(BrokerError):
        await asyncio.wait_for(broker.subscribe([channels.inbox("n")]), 5)


async def test_close_ends_a_waiting_receive(pair, channels):
    """A receive() that waits while the broker is closed raises BrokerError."""
    broker, _ = pair
    await broker.subscribe([channels.everyone])
    receiving = asyncio.ensure_future(broker.receive())
    await asyncio.sleep(0)
    await broker.close()
    with pytest.raises(BrokerError):
        await asyncio.wait_for(receiving, 5)


async def test_a_killed_server_ends_receive_and_publish(own_server, connected, channels):
    """When the server is killed a waiting receive() raises BrokerError, and so does every later call."""
    broker = await connected(own_server.url)
    await broker.subscribe([channels.everyone])
    receiving = asyncio.ensure_future(broker.receive())
    await asyncio.sleep(0)
    own_server.stop()
    with pytest.raises(BrokerError):
        await asyncio.wait_for(receiving, 10)
    with pytest.raises(BrokerError):
        await asyncio.wait_for(broker.publish([message(channels.everyone, b"x")]), 10)
    with pytest.raises(BrokerError):
        await asyncio.wait_for(broker.subscribe([channels.inbox("n")]), 10)


async def test_a_restarted_server_takes_new_brokers(own_server, connected, channels):
    """After a kill and a restart on the same address a new broker works."""
    await connected(own_server.url)
    own_server.stop()
    own_server.start()
    broker = await connected(own_server.url)
    await broker.subscribe([channels.everyone])
    await broker.publish([message(channels.everyone, b"x")])
    assert [d.payload for d in await collect(broker, 1)] == [b"x"]


@pytest.mark.parametrize("own_server", ["local", "redis", "nats"], indirect=True)
@pytest.mark.parametrize("call", ["publish", "subscribe"])
async def test_a_stopped_server_is_noticed(own_server, connected, channels, call):
    """A server that takes bytes and never answers ends publish() and subscribe() within 6 s."""
    broker = await connected(own_server.url)
    await broker.subscribe([channels.everyone])
    own_server.pause()
    started = time.monotonic()
    argument = message(channels.everyone, b"x") if call == "publish" else channels.inbox("n")
    with pytest.raises(BrokerError, match="has not answered for 5 s"):
        await getattr(broker, call)([argument])
    assert time.monotonic() - started < 6
    with pytest.raises(BrokerError):
        await asyncio.wait_for(broker.receive(), 1)


@pytest.mark.parametrize("own_server", ["redis", "nats"], indirect=True)
async def test_connecting_to_a_stopped_server_ends(own_server, connected):
    """connect() to a server that accepts and never answers raises BrokerError within 6 s."""
    own_server.pause()
    started = time.monotonic()
    with pytest.raises(BrokerError, match=f"127.0.0.1:{own_server.port}"):
        await connected(own_server.url)
    assert time.monotonic() - started < 6
