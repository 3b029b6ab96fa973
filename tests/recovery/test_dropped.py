"""What was dropped because the bus was away for longer than it may be, or would not take it."""

from __future__ import annotations

import contextlib

import pytest

from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.losses import MOST_CHANNELS, Losses
from tests.harness import eventually, three_nodes
from tests.recovery.clients import came_back, fence, left, take
from tests.recovery.door import Door

QUICK = {"reconnectionDelay": 10, "reconnectionDelayMax": 10}


async def told(client):
    """Whether a client that comes back is told that it has missed events, at once or when these are read."""
    return not await came_back(client) or not await came_back(client)


@pytest.mark.parametrize("bus", ["redis", "amqp"])
async def test_longer_than_the_buffer(request, bus, redis_that_remembers, prefix, driver):
    """Who may miss dropped events is told, on every node, connected or away; all others go on as before."""
    server, options = redis_that_remembers, {"count": 2, "recovery_seconds": 60, "buffer_seconds": 0.5}
    url = server.url
    if bus == "amqp":
        url, options["recovery_url"] = request.getfixturevalue("amqp_url"), server.url
    async with three_nodes(url, prefix, **options) as (a, b), contextlib.AsyncExitStack() as stack:
        doors = [await stack.enter_async_context(Door(a)) for _ in range(2)]
        away, here, there, other = clients = [
            await stack.enter_async_context(driver.client(place, reconnection=True, **QUICK))
            for place in (doors[0], b, a, doors[1])
        ]
        for client in clients:
            assert await client.connects.get() is False
            await a.sio.enter_room(client.sid, "blue" if client is other else "red")
        sids = [client.sid for client in clients]
        doors[0].cut()
        await left(a, away.sid)
        server.stop()
        await eventually(lambda: not a.manager.ready and not b.manager.ready)
        await b.sio.emit("dropped", room="red")
        await eventually(lambda: b.manager.stats.dropped >= 1)
        server.start()
        assert [await came_back(client) for client in (here, there)] == [False, False]
        doors[0].lead(a)
        assert await told(away)
        assert not {away.sid, here.sid, there.sid} & set(sids)
        await b.sio.emit("n", 1, room="blue")
        await take(other, "n", 1)
        doors[1].cut(b)
        assert await came_back(other) is True
        assert other.sid == sids[3]
        await b.sio.emit("n", 2)
        for client in clients:
            await take(client, "n", 2)
        await fence(b, *clients)
        assert (a.manager.stats.gaps, b.manager.stats.gaps) == (0, 1)


async def test_what_the_bus_does_not_take(nodes, door, connect):
    """A client that was to get an event which the bus refuses is told, whether it is connected or away."""
    a, b, _ = nodes
    away = await connect(**QUICK)
    async with away.driver.client(a, reconnection=True, **QUICK) as here:
        assert await here.connects.get() is False
        door.cut()
        await left(a, away.sid)
        publisher = b.manager.node.publisher._all[0]
        await b.sio.emit("n", 1)
        [entry] = [entry for entry in publisher.backlog.between(0, publisher.number) if entry.recorded]
        publisher.refused(entry, "the test says so")
        assert await told(here)
        door.lead(b)
        assert await told(away)


def test_losses():
    """They name channels, once each, and whole namespaces if there are too many; then they begin anew."""
    names, losses = Channels("a,b"), Losses()
    red, chat = names.room("/", "red"), names.room("/chat", "x,y")
    for channels in ((red,), (red, chat), ()):
        losses.add(channels)
    assert losses.take() == (red, chat)
    assert losses.take() == ()
    losses.add((chat, names.namespace("/")))
    losses.add(names.room("/", number) for number in range(MOST_CHANNELS))
    assert losses.take() == (names.namespace("/chat"), names.namespace("/"))
