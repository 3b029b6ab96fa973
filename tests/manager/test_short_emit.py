"""An emit that goes the short way in C does what it does in Python, or is refused before anything happens."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import weakref
from collections import Counter

import pytest
import socketio
from hypothesis import given, settings
from hypothesis import strategies as st

from socketio_cluster import ClusterManager
from socketio_cluster.manager import short_emit
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.native.library import VARIABLE, load

pytestmark = pytest.mark.skipif(load("manager.native._emit") is None, reason="it is not compiled here")

NODE = "nodenode"
ROOM, EMPTY, SID = "red", "empty", f"{NODE}{'s' * 12}"


class Emits:
    """A node that knows all others, with two clients in a room, whose batch is always on its way."""

    def __init__(self, *, compiled=True, recovery=False, **options):
        self.compiled = compiled
        if recovery:
            options["recovery_seconds"] = 60
        self.manager = manager = ClusterManager("memory://emits", prefix="p", **options)
        self.sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager)
        self.node = node = manager.node
        self.written = []
        self.waited = []
        self.went = []
        """Whether each emit went the short way."""
        node.id = node._first.publisher._origin = NODE
        for at, sid in enumerate((SID, f"{NODE}{'t' * 12}")):
            client = Client(sid, sid[::-1], "/", lambda outgoing, at=at: self.write(at, outgoing), 1000)
            manager.members.add(client)
            manager.members.enter(client, ROOM)
            client.connected(1.0)

    def write(self, at, outgoing):
        encoded = outgoing.encoded
        self.written.append((at, encoded, outgoing.rooms, outgoing.number))

    async def start(self):
        manager, node = self.manager, self.node
        node.start = lambda wait: asyncio.sleep(0)
        publisher, first = node._first.publisher, node._first
        first.introduction.over = True
        first.link.batches._direct, first.link.batches._busy = object(), True
        first.interest.want(node.channels.room("/", ROOM))
        first.interest.want(node.channels.namespace("/"))
        await manager.start()
        short = manager._short_emit
        assert short is not None
        manager._short_emit = self.noticed(short) if self.compiled else None
        publisher._link = first.link
        return self

    def noticed(self, short):
        def call(*args):
            result = short(*args)
            self.went.append(result is not None)
            return result

        return call

    async def emit(self, *args, **options):
        """Emit, and return the type and the text of what it raises."""
        try:
            await asyncio.wait_for(self.sio.emit(*args, **options), 5)
        except Exception as error:
            return type(error), str(error)
        return None

    @property
    def seen(self):
        """All that emits have changed, but for times."""
        manager, first = self.manager, self.node._first
        publisher, backlog, stats = first.publisher, first.publisher.backlog, manager.stats
        books = backlog._bytes, backlog.reached, backlog.handed, publisher.number, manager.backpressure._turn
        counts = stats.emitted, stats.delivered, Counter(stats.published), stats.dropped
        recovery = manager.recovery
        own = ()
        if recovery is not None:
            follower = recovery.follower
            own = [(without_time(raw), header.number, message) for raw, (header, message) in posted(follower)]
            own += [follower.coming, follower.newest, follower._own_events._size]
        entries = [(e.number, e.channels, without_time(e.payload), e.recorded) for e in backlog._unsent]
        return entries, books, counts, own, self.written, first.link.batches._more


def posted(follower):
    return follower._own_events._posted


def without_time(raw):
    return raw[:18] + raw[26:]


async def both(recovery=False, **options):
    """Return two nodes, whose emits go in C and in Python."""
    return [await Emits(compiled=way, recovery=recovery, **options).start() for way in (True, False)]


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


@pytest.mark.parametrize("secret", [None, "s" * 16])
@pytest.mark.parametrize("recovery", [False, True])
def test_both_ways_do_the_same(recovery, secret):
    """Whatever is emitted, bytes, entries, counters, deliveries and errors are the same."""

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(EVENTS, DATA, ROOMS, OTHERS), min_size=1, max_size=5))
    def run(emits):
        async def compare():
            compiled, python = await both(recovery, secret=secret)
            for event, data, room, others in emits:
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


UNUSUAL = {
    "bytes": (("news", b"x"), {}),
    "not a number": (("news", float("nan")), {}),
    "a room that is a number": (("news", 1), {"room": 5}),
    "several rooms": (("news", 1), {"room": [ROOM, EMPTY]}),
    "an event of Socket.IO": (("connect", 1), {}),
    "no event": (("", 1), {}),
}


@pytest.mark.parametrize("case", UNUSUAL)
async def test_what_is_refused(case):
    """The rest goes the way in Python."""
    one = await Emits().start()
    args, options = UNUSUAL[case]
    await one.emit(*args, **options)
    assert one.went == [False]


async def refuses(one):
    """Whether an emit that would go the short way does not, and arrives nevertheless."""
    before = one.node._first.publisher.number
    assert await one.emit("news", "text", room=ROOM) is None
    assert one.node._first.publisher.number > before
    return one.went == [False]


async def test_not_with_a_bridge():
    """A bridge has to get the event too, and there may be one as long as not all nodes are known."""
    one = await Emits().start()
    one.node._first.introduction.over = False
    assert await refuses(one)
    two = await Emits().start()
    two.node._first.membership.roster.bridges = ["bridge01"]
    assert await refuses(two)


@pytest.mark.parametrize("recovery", [False, True])
async def test_an_empty_list_is_nobody(recovery):
    """Nothing is published for an empty list of rooms, also while there may be a bridge."""
    one = await Emits(recovery=recovery).start()
    one.node._first.introduction.over = False
    before = one.node._first.publisher.number
    assert await one.emit("news", "text", room=[]) is None
    assert one.node._first.publisher.number == before
    assert one.written == []


async def test_not_with_another_format():
    """A packet class that an application puts in is asked."""
    one = await Emits().start()
    one.sio.packet_class = type("Own", (one.sio.packet_class,), {})
    assert await refuses(one)


async def test_not_what_is_too_large():
    """What the buffer cannot hold raises an error, and nobody gets it."""
    compiled, python = await both(buffer_bytes=1 << 20)
    raised = await compiled.emit("news", "x" * (1 << 20), room=ROOM)
    assert raised == await python.emit("news", "x" * (1 << 20), room=ROOM)
    assert raised is not None
    assert compiled.seen == python.seen
    assert compiled.written == []


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


@pytest.mark.parametrize("recovery", [False, True])
async def test_a_flood_waits(recovery):
    """With too much in a turn of the loop, or in the buffer, emits wait as in Python."""
    for one in await both(recovery):
        turns = 0

        def turn():
            nonlocal turns
            turns += 1
            asyncio.get_running_loop().call_soon(turn)

        asyncio.get_running_loop().call_soon(turn)
        for _ in range(5000):
            await one.emit("news", "text", room=EMPTY)
        one.waited = turns
        assert turns > 0


@pytest.mark.parametrize("unsent", [2000, 2001])
async def test_a_full_buffer_holds_up_emits(monkeypatch, unsent):
    """An emit waits for the bus as soon as one more envelope waits than may."""
    for one in await both():
        for _ in range(unsent - 1):
            await one.emit("news", "text", room=EMPTY)
        waited = []

        async def wait(number, waited=waited):
            waited.append(number)

        monkeypatch.setattr(one.node.publisher, "wait_for_capacity", wait)
        await one.emit("news", "text", room=EMPTY)
        assert waited == ([unsent] if unsent > 2000 else [])


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


def test_another_loop():
    """A manager whose loop has ended is a new node, which has a short way of its own."""
    one = Emits()
    asyncio.run(one.start())

    async def again():
        one.manager.node.start = None
        one.manager.enter_loop()
        assert one.manager._short_emit is None

    asyncio.run(again())


async def test_absent(monkeypatch):
    """Without the file, or with the environment's word, emits go the way in Python."""
    one = await Emits().start()
    monkeypatch.setenv(VARIABLE, "off")
    assert short_emit.short_emit(one.manager) is None


async def test_alone():
    """A node without a bus goes the way in Python."""
    manager = ClusterManager()
    socketio.AsyncServer(async_mode="asgi", client_manager=manager)
    await manager.start()
    assert manager._short_emit is None
    await manager.close()


@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("backlog", object(), "has no attribute '_unsent'"),
        ("reserved", None, "reserved is missing or of another type"),
        ("room_prefix", "ä", "a name that is not ASCII"),
    ],
)
async def test_does_not_fit(monkeypatch, caplog, part, value, why):
    """When it does not fit the objects of this release, a line says so, and emits go the way in Python."""
    one = await Emits().start()
    parts = short_emit._posting_parts, short_emit._parts
    monkeypatch.setattr(short_emit, "_posting_parts", lambda manager: {})
    monkeypatch.setattr(short_emit, "_parts", lambda of: {**parts[0](of), **parts[1](of), part: value})
    with caplog.at_level(logging.WARNING):
        assert short_emit.short_emit(one.manager) is None
    (line,) = caplog.messages
    assert why in line


@pytest.mark.parametrize("recovery", [False, True])
async def test_many_emits_leave_nothing(recovery):
    """However an emit ends, it leaves no reference behind."""
    one = await Emits(recovery=recovery).start()
    publisher, room, data = one.node._first.publisher, "room that is long", {"a": "text"}
    objects = room, data, one.manager.members.clients[SID], publisher, None, True

    async def counts():
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
        gc.collect()
        return [sys.getrefcount(each) for each in objects], sys.getallocatedblocks()

    await counts()
    (before, blocks), (after, more) = await counts(), await counts()
    assert all(abs(a - b) < 20 for a, b in zip(before, after, strict=True))
    assert more - blocks < 150


async def test_a_manager_is_collected():
    """A manager that nobody uses any more is collected, with its short way."""
    one = await Emits().start()
    left = weakref.ref(one.manager)
    del one
    await asyncio.sleep(0)
    gc.collect()
    assert left() is None
