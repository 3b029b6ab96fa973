"""A broker made of a bus that keeps nothing and of a Redis: one order, one end."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.envelope import read_header
from socketio_cluster.manager.bus.registry import open_broker
from socketio_cluster.manager.bus.seam import MOST
from socketio_cluster.manager.bus.stamp import read_stamp
from socketio_cluster.manager.bus.store import cluster_of
from socketio_cluster.manager.bus.with_redis import WithRedis
from socketio_cluster.manager.errors import BrokerError, PublishRefused
from tests.contract.conftest import collect
from tests.contract.test_store import begun, envelope, event
from tests.services.hub import HubServer
from tests.services.redis import RedisServer


def unstamped(raw):
    """An envelope without the stamp that an event has."""
    return read_stamp(raw)[2] if raw.startswith(b"N") else raw


@contextlib.asynccontextmanager
async def far_away(port, *, delay):
    """A server behind a long line: the port at which what the server at ``port`` says comes late.

    Whoever is connected there has to leave before the end.
    """
    lines = []

    async def pass_on(reader, writer, delay):
        while data := await reader.read(65536):
            await asyncio.sleep(delay)
            writer.write(data)
        writer.close()
        await writer.wait_closed()

    async def serve(reader, writer):
        lines.append(asyncio.current_task())
        server_reader, server = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pass_on(reader, server, 0), pass_on(server_reader, writer, delay))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as door:
        yield door.sockets[0].getsockname()[1]
        await asyncio.gather(*lines, return_exceptions=True)


@pytest.mark.parametrize("slow", ["bus", "redis"])
async def test_one_order(nats_server, redis_server, connected, channels, slow):
    """What one broker publishes arrives in that order, whichever of the two ways is the slower one."""
    server = nats_server if slow == "bus" else redis_server
    async with far_away(server.port, delay=0.02) as port:
        urls = nats_server.url, redis_server.url
        writer = await connected(urls)
        reader = await connected([url.replace(f":{server.port}", f":{port}") for url in urls])
        await begun(writer, cluster_of(channels.everyone))
        red, blue = channels.room("/", "red"), channels.room("/", "blue")
        await reader.subscribe([red, blue])
        batch = [
            event(number, red, blue) if number % 3 else Publication((blue,), envelope(number))
            for number in range(1, 101)
        ]
        for start in range(0, 100, 5):
            await writer.publish(batch[start : start + 5])
        found = dict.fromkeys(unstamped(each.payload) for each in await collect(reader, 100 + 67))
        assert list(found) == list(map(envelope, range(1, 101)))
        await reader.close()


async def test_two_senders(nats_server, redis_server, connected, channels):
    """What one sender has marked does not move what another one has sent."""
    async with far_away(nats_server.port, delay=0.02) as port:
        one, other = [await connected((nats_server.url, redis_server.url)) for _ in range(2)]
        reader = await connected((f"nats://127.0.0.1:{port}", redis_server.url))
        await begun(one, cluster_of(channels.everyone))
        red = channels.room("/", "red")
        await reader.subscribe([red])

        async def speak(writer, sender):
            for number in range(1, 101):
                rooms = () if number % 2 else (red,)
                await writer.publish([Publication((red,), envelope(number, sender), rooms)])

        await asyncio.gather(speak(one, "sender_1"), speak(other, "sender_2"))
        found = [unstamped(delivery.payload) for delivery in await collect(reader, 200)]
        for sender in ("sender_1", "sender_2"):
            mine = [raw for raw in found if read_header(raw).origin == sender]
            assert mine == [envelope(number, sender) for number in range(1, 101)]
        await reader.close()


class Choosy:
    """A bus that refuses some payloads."""

    limit = 1000

    def __init__(self, *refused):
        self.refused = refused
        self.taken = []

    async def receive(self):
        await asyncio.Event().wait()

    async def publish(self, batch):
        self.taken += [each.payload for each in batch if each.payload not in self.refused]
        reasons = {at: "no" for at, each in enumerate(batch) if each.payload in self.refused}
        if reasons:
            raise PublishRefused(reasons)

    async def close(self):
        pass


async def test_what_is_refused():
    """What either refuses is named by its place in the batch, and all the rest is published."""
    bus, redis = Choosy(b"a", b"e"), Choosy(b"d")
    bus.limit = None
    broker = WithRedis(bus, redis)
    kept = {b"c", b"d"}
    batch = [
        Publication(("x",), each, ("x",) if each in kept else ()) for each in (b"a", b"b", b"c", b"d", b"e")
    ]
    with pytest.raises(PublishRefused) as refusal:
        await broker.publish(batch)
    assert refusal.value.reasons == {0: "no", 3: "no", 4: "no"}
    assert (bus.taken, redis.taken, broker.limit) == ([b"b"], [b"c"], 1000)
    await broker.close()


async def test_no_event_for_long():
    """A broker that publishes to ever more rooms, and no event, remembers only so many."""
    bus, redis = Choosy(), Choosy()
    broker = WithRedis(bus, redis)
    for number in range(MOST + 1):
        assert redis.taken == []
        await broker.publish([Publication((f"room {number}",), envelope(number + 1))])
    assert len(redis.taken) == MOST + 1
    await broker.publish([event(MOST + 2, "red")])
    assert redis.taken[MOST + 1 :] == [envelope(MOST + 2)]
    await broker.close()


@pytest.mark.parametrize("which", [0, 1])
async def test_either_ends_both(tmp_path, connected, channels, which):
    """When one of the two servers is gone, who reads and who publishes is told."""
    (tmp_path / "hub").mkdir()
    with HubServer(tmp_path / "hub") as hub, RedisServer(tmp_path / "redis") as redis:
        servers = (hub, redis)
        broker = await connected([server.url for server in servers])
        await broker.subscribe([channels.everyone])
        reading = asyncio.create_task(broker.receive())
        servers[which].stop()
        with pytest.raises(BrokerError):
            await asyncio.wait_for(reading, 15)
        with pytest.raises(BrokerError):
            await broker.publish([event(1, channels.everyone), Publication((channels.everyone,), b"x")])
        await broker.close()
        await broker.close()
        with pytest.raises(BrokerError, match="not the Redis of recovery_url" if which else "no local bus"):
            await open_broker(hub.url, redis.url)
