"""Every bus that records keeps the same promises: one order, a history, and sessions with one owner."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Gone
from socketio_cluster.manager.bus.stamp import Stamp, read_stamp
from socketio_cluster.manager.bus.store import (
    Begin,
    Change,
    Claim,
    CloseRoom,
    Gap,
    Look,
    Open,
    Read,
    Release,
    Renew,
    Tail,
    Where,
    cluster_of,
)
from tests.contract.conftest import BESIDE, collect

RECORDING = ["local", "memory", "redis", "redis-sentinel", "redis-cluster", *BESIDE]


@pytest.fixture(params=RECORDING)
def broker_url(request):
    """The URL of a running bus that records, once for each kind."""
    return request.getfixturevalue(f"{request.param.replace('-', '_')}_url")


@pytest.fixture
def cluster(channels):
    return cluster_of(channels.everyone)


def envelope(number, sender="nodenode"):
    return Codec("x").pack(Header(sender, number, 0.0), Gone(number))


def event(number, *rooms, sender="nodenode"):
    return Publication(rooms, envelope(number, sender), rooms)


async def begun(broker, cluster, *, seconds=60.0, size=1_000_000):
    return await broker.ask(cluster, Begin(seconds, size))


async def read(broker, cluster, rooms, after, *, count=100, size=1_000_000):
    return await broker.ask(cluster, Read(rooms, after, count, size))


async def test_the_last_events_of_a_room(pair, channels, cluster):
    """They are read from the end backwards, in pieces, as far as they are kept."""
    writer, reader = pair
    place = await begun(writer, cluster, size=8_000)
    red, blue = channels.room("/", "red"), channels.room("/", 7)
    await writer.publish([event(at, red if at % 2 else blue) for at in range(1, 11)])

    async def tail(before, count, size=1_000_000):
        return await reader.ask(cluster, Tail(red, before, count, size))

    kept = (await read(reader, cluster, [red], place.last)).events
    assert [payload for _, payload in kept] == [envelope(at) for at in (1, 3, 5, 7, 9)]
    assert [(p.events, p.done) for p in (await tail(0, 5), await tail(0, 6))] == [(kept, True)] * 2
    last = await tail(0, 2)
    assert (last.events, last.done) == (kept[3:], False)
    assert last.place.last == last.upto > kept[-1][0]
    older = await tail(last.events[0][0], 2)
    assert (older.events, older.done) == (kept[1:3], False)
    assert (await tail(older.events[0][0], 2)).events == kept[:1]
    assert (await tail(kept[0][0], 2)).events == []
    assert (await tail(0, 5, size=1)).events == kept[4:]
    await writer.publish([event(at, red) for at in range(11, 61)])
    left = (await read(reader, cluster, [red], place.last)).events
    assert 1 < len(left) < 50
    assert ((await tail(0, 100)).events, (await tail(0, 100)).done) == (left, True)


async def test_numbers_grow_and_history_has_what_was_published(pair, channels, cluster):
    """Each event arrives with its number, and is read again with it, from the histories that it is in."""
    writer, reader = pair
    place = await begun(writer, cluster)
    red, blue = channels.room("/", "red"), channels.room("/", 7)
    await reader.subscribe([red, blue])
    await writer.publish([event(1, red), event(2, blue), event(3, red, blue)])
    found = [read_stamp(delivery.payload) for delivery in await collect(reader, 3)]
    stamps = dict.fromkeys((epoch, number) for epoch, number, _ in found)
    assert [epoch for epoch, _ in stamps] == [place.epoch] * 3
    numbers = [number for _, number in stamps]
    assert numbers == sorted(numbers)
    assert numbers[0] > place.last
    both = await read(reader, cluster, [red, blue], place.last)
    assert both.events == [(number, envelope(at)) for at, number in enumerate(numbers, 1)]
    assert both.done
    assert both.upto == both.place.last == numbers[-1]
    assert [number for number, _ in (await read(reader, cluster, [red], numbers[0])).events] == numbers[2:]
    assert (await read(reader, cluster, None, place.last)).events == both.events


async def test_history_comes_in_pieces(pair, channels, cluster):
    """A piece has no more events or bytes than were asked for; the next one goes on behind it."""
    writer, _ = pair
    place = await begun(writer, cluster)
    red = channels.room("/", "red")
    await writer.publish([event(number, red) for number in range(1, 251)])
    seen, upto = [], place.last
    while True:
        piece = await read(writer, cluster, [red], upto, count=40, size=20_000)
        assert len(piece.events) <= 40
        seen += [payload for _, payload in piece.events]
        upto = piece.upto
        if piece.done:
            break
    assert seen == [envelope(number) for number in range(1, 251)]


async def test_sent_again_is_recorded_once(pair, channels, cluster):
    """What its sender publishes again, because it had no answer, gets no second number."""
    writer, _ = pair
    place = await begun(writer, cluster)
    red = channels.room("/", "red")
    await writer.publish([event(1, red), event(2, red)])
    await writer.publish([event(2, red), event(3, red)])
    await writer.publish([event(1, red, sender="another1")])
    found = await read(writer, cluster, [red], place.last)
    assert [payload for _, payload in found.events] == [
        *map(envelope, (1, 2, 3)),
        envelope(1, "another1"),
    ]


async def test_bounds(pair, channels, cluster):
    """Beyond the bytes the oldest events go, and the floor says up to where."""
    writer, _ = pair
    await begun(writer, cluster, size=20_000)
    red, blue = channels.room("/", "red"), channels.room("/", "blue")
    for number in range(1, 301):
        await writer.publish([event(number, red, blue)])
    place = await begun(writer, cluster)
    kept = await read(writer, cluster, [blue], place.floor)
    assert 0 < len(kept.events) <= 60
    assert kept.events == (await read(writer, cluster, None, place.floor)).events
    assert kept.events[0][0] > place.floor
    assert kept.events[-1][1] == envelope(300)


async def test_a_session_has_one_owner(pair, cluster):
    """A claim gives what the session is, and makes every earlier claim void."""
    one, other = pair
    await begun(one, cluster)
    place = await one.ask(cluster, Open("s", "secret", "/", "A", "c1", 60.0, rooms={"sred": 5}, data=b"\0d"))
    assert await one.ask(cluster, Change("s", "c1", ["sblue"], ["sred"], b"new"))
    assert await other.ask(cluster, Claim("s", "wrong", "/", "B", "c2", 60.0)) == "unknown"
    assert await other.ask(cluster, Claim("s", "secret", "/chat", "B", "c2", 60.0)) == "unknown"
    assert await other.ask(cluster, Claim("none", "secret", "/", "B", "c2", 60.0)) == "unknown"
    claimed = await other.ask(cluster, Claim("s", "secret", "/", "B", "c2", 60.0))
    assert (claimed.node, claimed.position, claimed.data) == ("A", place.last, b"new")
    assert (claimed.rooms, claimed.tried) == ({"sblue": place.last}, (0, 0))
    assert await other.ask(cluster, Change("s", "c2", tried=(2**52, 3)))
    assert not await one.ask(cluster, Change("s", "c1", ["sgreen"]))
    assert await one.ask(cluster, Renew([("s", "c1", 0), ("none", "c", 0)], 60.0)) == ["s", "none"]
    assert await other.ask(cluster, Renew([("s", "c2", place.last + 9)], 60.0)) == []
    assert not await one.ask(cluster, Release("s", "c1", 0))
    assert await one.ask(cluster, Where("s", "/")) == "B"
    claimed = await one.ask(cluster, Claim("s", "secret", "/", "A", "c3", 60.0))
    assert (claimed.node, claimed.position, claimed.tried) == ("B", place.last + 9, (2**52, 3))


async def test_a_refused_claim(pair, cluster):
    """An offset that cannot be, or is too old, changes nothing; a right one counts if it is newer."""
    one, other = pair
    place = await begun(one, cluster)
    await one.ask(cluster, Open("s", "secret", "/", "A", "c1", 60.0, position=place.last - 5))

    async def claim(offset):
        return await other.ask(cluster, Claim("s", "secret", "/", "B", "c2", 60.0, offset=offset))

    last = (await one.ask(cluster, Look())).last
    for wrong in (Stamp(place.epoch, last + 1), Stamp(place.epoch, 2**56 - 1), Stamp("foreig", 1)):
        assert await claim(wrong) == "epoch"
    assert await claim(Stamp(place.epoch, place.floor - 1)) == "late"
    assert await claim(None) == "late"
    assert await one.ask(cluster, Where("s", "/")) == "A"
    assert await one.ask(cluster, Change("s", "c1"))
    assert (await claim(Stamp(place.epoch, last))).position == last


async def test_an_absent_client(pair, cluster):
    """While its client is away anybody may change a session, and when it will not come back it ends."""
    one, _ = pair
    await begun(one, cluster)
    await one.ask(cluster, Open("s", "secret", "/", "A", "c1", 60.0))
    assert not await one.ask(cluster, Change("s", "", ["sred"]))
    assert await one.ask(cluster, Release("s", "c1", 60.0))
    assert await one.ask(cluster, Where("s", "/")) == ""
    assert await one.ask(cluster, Where("s", "/chat")) is None
    assert await one.ask(cluster, Change("s", "", ["sred"]))
    assert "sred" in (await one.ask(cluster, Claim("s", "secret", "/", "B", "c2", 60.0))).rooms
    assert await one.ask(cluster, Release("s", "c2", 0))
    assert await one.ask(cluster, Where("s", "/")) is None


async def test_a_closed_room(pair, channels, cluster):
    """Sessions leave a room that is closed, when they are claimed, and may have joined it again since."""
    one, _ = pair
    await begun(one, cluster)
    for sid in ("s", "t"):
        await one.ask(cluster, Open(sid, "secret", "/", "A", "c1", 60.0))
        assert await one.ask(cluster, Change(sid, "c1", ["sred", "sblue"]))
    await one.ask(cluster, CloseRoom(channels.room("/", "red")))
    assert await one.ask(cluster, Change("t", "c1", ["sred"]))
    claim = Claim("s", "secret", "/", "B", "c2", 60.0, channels.rooms("/"))
    assert set((await one.ask(cluster, claim)).rooms) == {"sblue"}
    claim = Claim("t", "secret", "/", "B", "c2", 60.0, channels.rooms("/"))
    assert set((await one.ask(cluster, claim)).rooms) == {"sred", "sblue"}
    place = await one.ask(cluster, Look())
    await one.ask(cluster, CloseRoom(channels.room("/", "blue")))
    rooms = {"sred": place.last, "sblue": place.last}
    await one.ask(cluster, Open("t", "secret", "/", "A", "c1", 60.0, rooms=rooms))
    assert (await one.ask(cluster, claim)).rooms == rooms


async def test_a_gap(pair, channels, cluster):
    """After a gap nobody goes on from before it, nor does who has got the last event."""
    one, _ = pair
    assert await one.ask(cluster, Look()) is None
    await begun(one, cluster, size=1_200)
    red = channels.room("/", "red")
    await one.publish([event(1, red)])
    before = await one.ask(cluster, Look())
    assert before.floor < before.last
    await one.ask(cluster, Gap())
    after = await one.ask(cluster, Look())
    assert after.floor == after.last > before.last
    floor = after.floor
    for number in range(2, 7):  # those from before go out of the history, one by one
        await one.publish([event(number, red)])
        place = await one.ask(cluster, Look())
        assert place.floor >= floor
        floor = place.floor
    assert len((await read(one, cluster, None, 0)).events) == 3
