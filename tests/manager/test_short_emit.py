"""An emit that goes the short way in C does what it does in Python."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socketio_cluster.manager.clients.backpressure import TURN_BYTES
from tests.leaks import nothing_left
from tests.manager.emits_rig import EMPTY, NODE, ROOM, SID, Emits, both, posted, there

pytestmark = there


def values():
    simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3)
    return st.recursive(
        simple, lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text(), of, max_size=3)
    )


EVENTS = st.sampled_from(["news", "", "connect", "disconnect", "ä", '"', "\x7f", 7, None]) | st.text(
    max_size=5
)
DATA = st.sampled_from(["x" * 300, "x" * 70_000, ("a", 1), (), (b"x",), "\x7f", '"']) | values()
ROOMS = st.sampled_from([None, ROOM, EMPTY, SID, "y" * 20, "ä", "\ud800", "", 5, [ROOM], [], True, "z" * 300])
OTHERS = st.sampled_from(
    [{}] * 6 + [{"skip_sid": SID}, {"ignore_queue": True}, {"namespace": "/chat"}, {"namespace": "x"}]
)


BRIDGES = st.sampled_from(["none", "none", "unknown", "one"])


@pytest.mark.parametrize("secret", [None, "s" * 16])
@pytest.mark.parametrize("recovery", [False, True])
def test_both_ways_do_the_same(recovery, secret):
    """Whatever is emitted, bytes, entries, counters, deliveries and errors are the same."""

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(EVENTS, DATA, ROOMS, OTHERS, BRIDGES), min_size=1, max_size=5))
    def run(emits):
        async def compare():
            compiled, python = await both(recovery, secret=secret)
            for event, data, room, others, bridges in emits:
                compiled.bridges(bridges)
                python.bridges(bridges)
                raised = await compiled.emit(event, data, room=room, **others)
                assert raised == await python.emit(event, data, room=room, **others)
            if secret is None:  # a signature is of the time too
                assert compiled.seen == python.seen
            assert [len(entry[2]) for entry in compiled.seen[0]] == [
                len(entry[2]) for entry in python.seen[0]
            ]
            assert compiled.seen[1:3] == python.seen[1:3]

        asyncio.run(compare())

    run()


@pytest.mark.parametrize("secret", [None, "s" * 16])
@pytest.mark.parametrize("recovery", [False, True])
async def test_what_goes_the_short_way(recovery, secret):
    """Most emits do: any data in JSON, to everybody or to a room. What is sent can be read."""
    one = await Emits(recovery=recovery, secret=secret).start()
    codec = one.node._first.publisher._codec
    for data in ("text", "ä", None, ("a", {"b": 1}), {"a": [1.5]}, 5, True):
        for room in (None, ROOM, EMPTY):
            assert await one.emit("news", data, room=room) is None
            entry = one.node._first.publisher.backlog._unsent[-1]
            header, message = codec.header(entry.payload), codec.message(entry.payload)
            assert (header.origin, header.number) == (NODE, entry.number)
            event = message.event if recovery else message
            assert event.rooms == (None if room is None else [room])
    assert one.went == [True] * 21


@pytest.mark.parametrize("bridges", ["unknown", "one"])
@pytest.mark.parametrize("recovery", [False, True])
async def test_beside_a_bridge(recovery, bridges):
    """A bridge gets the event too, as one that is not recorded."""
    pair = await both(recovery)
    for one in pair:
        one.bridges(bridges)
        for room in (None, ROOM, EMPTY):
            assert await one.emit("news", "text", room=room) is None
    assert pair[0].went == [True] * 3
    assert pair[0].seen == pair[1].seen
    entries = pair[0].node._first.publisher.backlog._unsent
    beside = pair[0].node.channels.bridges_beside(pair[0].node.channels.everyone)
    told = [entry for entry in entries if beside in entry.channels]
    assert len(told) == 3
    assert len(entries) == (6 if recovery else 3)
    assert all(entry.recorded == () for entry in told)


@pytest.mark.parametrize("recovery", [False, True])
async def test_the_buffer_drops_the_oldest(recovery):
    """A full buffer drops as many as in Python."""
    pair = await both(recovery, buffer_bytes=1 << 20)
    for one in pair:
        for _ in range(12):
            await one.emit("news", "x" * 100_000, room=ROOM)
    assert pair[0].seen == pair[1].seen
    assert pair[0].manager.stats.dropped == 2


async def test_own_events_are_bounded():
    """As many own events are remembered as in Python."""
    pair = await both(True)
    for one in pair:
        for _ in range(60):
            await one.emit("news", "x" * 100_000, room=ROOM)
    kept = [len(posted(one.manager.recovery.follower)) for one in pair]
    assert kept[0] == kept[1] < 60


async def turns_of_a_flood(one):
    """How many turns the loop has while this node emits very often."""
    loop, turns, on = asyncio.get_running_loop(), 0, True

    def turn():
        nonlocal turns
        turns += 1
        if on:
            loop.call_soon(turn)

    loop.call_soon(turn)
    for _ in range(5000):
        await one.sio.emit("news", "text", room=EMPTY)
    on = False
    return turns


@pytest.mark.parametrize("recovery", [False, True])
async def test_a_flood_waits(recovery):
    """With too much in a turn of the loop emits wait for the next one, as often as in Python."""
    compiled, python = [await turns_of_a_flood(one) for one in await both(recovery)]
    assert compiled == python > 1


@pytest.mark.parametrize("unsent", [2000, 2001])
async def test_a_full_buffer_holds_up_emits(monkeypatch, unsent):
    """An emit waits for the bus as soon as one more envelope waits than may."""
    for one in await both():
        for _ in range(unsent - 1):
            await one.emit("news", "text", room=EMPTY)
        waited = []

        async def wait(number, waited=waited):
            waited.append(number)

        monkeypatch.setattr(one.node.publisher, "wait_for_room", wait)
        await one.emit("news", "text", room=EMPTY)
        assert waited == ([unsent] if unsent > 2000 else [])


async def test_an_emit_to_this_node_alone_waits_for_no_bus(monkeypatch):
    """It gives the loop its turn, however many envelopes wait for the bus."""
    for one in await both():
        for _ in range(2001):
            await one.emit("news", "text", room=EMPTY)
        monkeypatch.setattr(one.node.publisher, "wait_for_room", None)
        one.manager.backpressure._turn = TURN_BYTES
        assert await one.emit("news", "text", room=ROOM, ignore_queue=True) is None
        assert not one.manager.backpressure.due


async def test_nothing_happens_before_it_is_awaited():
    """A coroutine that nobody awaits emits nothing; tasks and ``gather`` emit."""
    one = await Emits().start()
    emit = one.sio.emit("news", "text", room=ROOM)
    assert one.manager.stats.emitted == 0
    emit.close()
    await asyncio.gather(one.sio.emit("news", 1), asyncio.create_task(one.sio.emit("news", 2)))
    assert one.manager.stats.emitted == 2
    assert one.went == [True] * 2


async def test_an_error_of_a_client_is_raised():
    """What the function raises that takes events for a client is raised to the emitter, as in Python."""
    for one in await both():
        client = one.manager.members.clients[SID]
        client.send = lambda outgoing: 1 / 0
        raised = await one.emit("news", "text", room=ROOM)
        assert raised == (ZeroDivisionError, "division by zero")


@pytest.mark.parametrize("recovery", [False, True])
async def test_many_emits_leave_nothing(recovery):
    """However an emit ends, it leaves no reference behind."""
    one = await Emits(recovery=recovery).start()
    publisher, room, data = one.node._first.publisher, "room that is long", {"a": "text"}
    objects = room, data, one.manager.members.clients[SID], publisher, None, True

    async def many():
        for _ in range(300):
            for value in ("text", data, None, ("a", 1), b"x", float("nan"), "ä"):
                for to in (None, ROOM, room, 5):
                    await one.emit("news", value, room=to)
            publisher.backlog.sent(publisher.number)
            publisher.backlog._sent.clear()
            publisher.backlog._bytes = 0
            one.written.clear()
            one.went.clear()
            if recovery:
                posted(one.manager.recovery.follower).clear()

    await many()
    with nothing_left(*objects):
        await many()


async def test_a_manager_is_collected():
    """A manager that nobody uses any more is collected, with its short way."""
    one = await Emits().start()
    left = weakref.ref(one.manager)
    del one
    await asyncio.sleep(0)
    gc.collect()
    assert left() is None
