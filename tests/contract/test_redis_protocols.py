"""A broker of a server that knows RESP3 has one connection, of one that knows only RESP2 it has two."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.errors import BrokerError, PublishRefused, WrongServer
from tests.contract.conftest import collect
from tests.services.redis import RESP2_ONLY, RedisServer

LEAST = ("-@all", "+subscribe", "+unsubscribe", "+publish")
"""The commands that every account needs, in the words of Redis."""


OPTIONS = {"resp3": (), "resp2": RESP2_ONLY}
CONNECTIONS = {"resp3": ["pubsub"], "resp2": ["normal", "pubsub"]}
"""The kinds of connections that one broker has, as Redis names them."""


@pytest.fixture(params=OPTIONS)
def protocol(request):
    return request.param


@pytest.fixture
def server(protocol, tmp_path):
    """A server of the test's own, of each kind."""
    with RedisServer(tmp_path, *OPTIONS[protocol]) as server:
        yield server


async def test_how_many_connections(server, protocol, connected, channels):
    """With RESP3 one connection publishes and subscribes."""
    broker = await connected(server.url)
    await broker.subscribe([channels.everyone])
    await broker.publish([Publication((channels.everyone,), b"x")])
    assert [d.payload for d in await collect(broker, 1)] == [b"x"]
    found = [kind for kind in ("normal", "pubsub") for _ in range(_count(server, kind))]
    assert found == CONNECTIONS[protocol]


@pytest.mark.parametrize("which", [0, -1])
async def test_a_lost_connection_ends_the_broker(server, protocol, connected, channels, which):
    """When the server drops a broker's connection, or one of two, publish soon raises and so does receive."""
    broker = await connected(server.url)
    await broker.subscribe([channels.everyone])
    server.ask("CLIENT", "KILL", "TYPE", CONNECTIONS[protocol][which])
    with pytest.raises(BrokerError):
        await asyncio.wait_for(_publish_on(broker, Publication((channels.everyone,), b"x")), 10)
    with pytest.raises(BrokerError):
        await asyncio.wait_for(_drain(broker), 10)


async def test_a_server_that_drops_its_data_says_so(server, connected, channels):
    """The word comes behind what was published before, and ends the broker."""
    broker = await connected(server.url)
    await broker.subscribe([channels.everyone])
    await broker.publish([Publication((channels.everyone,), b"before")])
    assert [d.payload for d in await collect(broker, 1)] == [b"before"]
    server.ask("FLUSHALL")
    with pytest.raises(WrongServer, match="drops its data"):
        await asyncio.wait_for(_drain(broker), 10)


async def test_the_least_account(server, connected, channels):
    """A user with three commands can do all that a node needs."""
    broker = await connected(_allowed(server, *LEAST, "&*"))
    await broker.subscribe([channels.everyone, channels.inbox("me")])
    await broker.publish([Publication((channels.everyone, channels.inbox("me")), b"x")])
    assert [d.payload for d in await collect(broker, 2)] == [b"x", b"x"]
    await broker.unsubscribe([channels.inbox("me")])
    await broker.publish([Publication((channels.everyone, channels.inbox("me")), b"y")])
    assert [d.payload for d in await collect(broker, 1)] == [b"y"]


async def test_a_forbidden_subscription_is_no_refusal_of_an_event(server, connected, channels):
    """The error ends the broker, and is not taken for the reply to what is published behind it."""
    broker = await connected(_allowed(server, "+@all", f"&{channels.everyone}"))
    published = Publication((channels.everyone,), b"x")
    forbidden = asyncio.ensure_future(broker.subscribe([channels.inbox("no")]))
    await asyncio.sleep(0)  # It leaves before the event.
    sent = await asyncio.gather(broker.publish([published]), return_exceptions=True)
    with pytest.raises(BrokerError):
        await forbidden
    assert not isinstance(sent[0], PublishRefused)
    with pytest.raises(BrokerError):
        await broker.publish([published])


def _allowed(server, *rules):
    """Make a user by these rules, and return the server's URL for it."""
    server.ask("ACL", "SETUSER", "app", "on", ">secret", "resetchannels", *rules)
    return server.url.replace("//", "//app:secret@")


def _count(server, kind):
    """How many connections of this kind the server has, besides the one that asks."""
    listed = server.ask("CLIENT", "LIST", "TYPE", kind)
    return listed.count(b" addr=") - (b"cmd=client|list" in listed)


async def _publish_on(broker, publication):
    while True:
        await broker.publish([publication])


async def _drain(broker):
    while True:
        await broker.receive()
