"""What Redis refuses because of its own state is no fault of the events: none of them is given up for it."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.brokers.redis_commands import recording_commands
from socketio_cluster.manager.brokers.redis_line import opened
from socketio_cluster.manager.brokers.redis_url import read_settings
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Gone
from socketio_cluster.manager.bus.store import Begin, Read, cluster_of
from socketio_cluster.manager.errors import BrokerError, PublishError
from tests.services.redis import RedisServer


@pytest.fixture
def server(tmp_path):
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
async def broker(server, connected, channels):
    """A broker that has recorded nothing yet."""
    broker = await connected(server.url)
    await broker.ask(cluster_of(channels.everyone), Begin(60.0, 10_000_000))
    return broker


def event(number, room):
    return Publication((room,), Codec("x").pack(Header("nodenode", number, 0.0), Gone(number)), (room,))


@pytest.mark.parametrize("trouble", [("CONFIG", "SET", "maxmemory", "1"), ("SCRIPT", "FLUSH")])
async def test_a_state_that_passes(server, broker, channels, trouble):
    """When memory or scripts are missing, the broker ends with an error that blames no event."""
    server.ask(*trouble)
    with pytest.raises(BrokerError) as caught:
        await broker.publish([event(1, channels.room("/", "red"))])
    assert not isinstance(caught.value, PublishError)


async def test_a_command_that_fails_in_a_batch(server, broker, channels):
    """What comes in a batch behind a refused command is refused too, so it can all be sent again."""
    room = channels.room("/", "red")
    batch = [event(number, room) for number in range(1, 201)]
    first, second = recording_commands(batch, b"PUBLISH")
    async with opened(read_settings(server.url)) as line:
        server.ask("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(BrokerError, match="OOM"):
            await line.run(first)
        server.ask("CONFIG", "SET", "maxmemory", "0")
        with pytest.raises(BrokerError, match="MISSING"):
            await line.run(second)
    await broker.publish(batch)
    kept = await broker.ask(cluster_of(channels.everyone), Read([room], 0, 300, 1_000_000))
    assert [payload for _, payload in kept.events] == [publication.payload for publication in batch]


async def test_closed_while_scripts_are_loaded(server, connected, channels):
    """Who publishes its first event to be recorded gets an error when the broker is closed meanwhile."""
    broker = await connected(server.url)
    publishing = asyncio.create_task(broker.publish([event(1, channels.room("/", "red"))]))
    await asyncio.sleep(0)
    await broker.close()
    with pytest.raises(BrokerError):
        await asyncio.wait_for(publishing, 15)
