"""Every bus that records knows what a client is owed of rooms that it has left."""

from __future__ import annotations

import random
from itertools import count

import pytest

from socketio_cluster.manager.bus.stays import MOST, Stay, Stays
from socketio_cluster.manager.bus.store import Change, Claim, CloseRoom, Look, Open, Release, Renew
from tests.contract.test_store import begun, broker_url, cluster, event  # noqa: F401
from tests.recovery.wanderer import Wanderer


@pytest.mark.parametrize("seed", range(3))
async def test_a_wanderer(pair, cluster, channels, seed):  # noqa: F811
    """Whenever a client comes back, it gets what was emitted to rooms while it was in them, and no more."""
    one, sent = pair[0], count(1)

    async def ask(operation):
        return await one.ask(cluster, operation)

    async def record(names):
        await one.publish([event(next(sent), *names)])
        return (await ask(Look())).last

    wanderer = Wanderer(random.Random(seed), channels, ask, record)
    await wanderer.start()
    for _ in range(120):
        await wanderer.step()
    await wanderer.back()


async def test_stays(pair, channels, cluster):  # noqa: F811
    """A stay is kept until its client has passed it. The oldest of too many go; who needs them is told."""
    one, _ = pair
    place = await begun(one, cluster)
    now = place.last
    red = Stay("sred", now, now + 10)
    opening = Stays(0, (Stay("sold", now, now + 5), red))
    await one.ask(cluster, Open("s", "secret", "/", "A", "c1", 60.0, now + 5, {}, b"", opening))
    claim = Claim("s", "secret", "/", "A", "c1", 60.0, channels.rooms("/"))

    async def kept():
        return (await one.ask(cluster, claim)).stays

    assert await kept() == Stays(0, (red,))
    blue = Stay("sblüe", now + 1, now + 20)
    nothing = Stay("sgreen", now + 5, now + 5)
    assert await one.ask(cluster, Change("s", "c1", stays=[blue, nothing]))
    assert await kept() == Stays(0, (red, blue))
    assert await one.ask(cluster, Renew([("s", "c1", now + 10)], 60.0)) == []
    assert await kept() == Stays(0, (blue,))
    many = [Stay(f"s{number}", now, now + number) for number in range(30, 30 + MOST)]
    assert await one.ask(cluster, Change("s", "c1", stays=many))
    assert await one.ask(cluster, claim) == "late"
    assert await one.ask(cluster, Renew([("s", "c1", now + 20)], 60.0)) == []
    assert (await kept()).ended == tuple(many)


async def test_a_room_that_is_closed_twice(pair, channels, cluster):  # noqa: F811
    """A client that is away has left a room when it was first closed, also if it is let into it again."""
    one, _ = pair
    place = await begun(one, cluster)
    red, prefix = channels.room("/", "red"), channels.rooms("/")
    await one.ask(cluster, Open("s", "secret", "/", "A", "c1", 60.0, rooms={"sred": place.last}))
    await one.ask(cluster, Release("s", "c1", 60.0))
    ends = []
    for number in (1, 2):
        await one.publish([event(number, red)])
        await one.ask(cluster, CloseRoom(red))
        ends.append((await one.ask(cluster, Look())).last)
    entered = await one.ask(cluster, Change("s", "", ["sred"], channels=prefix))
    await one.publish([event(3, red)])
    left = await one.ask(cluster, Change("s", "", [], ["sred"], channels=prefix))
    assert place.last < ends[0] < ends[1] == entered < left
    claimed = await one.ask(cluster, Claim("s", "secret", "/", "A", "c2", 60.0, prefix))
    assert claimed.rooms == {}
    assert claimed.stays.ended == (Stay("sred", place.last, ends[0]), Stay("sred", entered, left))
