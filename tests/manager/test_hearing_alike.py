"""Whatever comes from the bus, a node that hears in C does what one does that hears in Python."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socketio_cluster.manager.bus.messages import Dropped, Emit, Gone, Recorded
from socketio_cluster.manager.clients.client import _ignore
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.native.library import HEAR, load
from tests.manager.hearing_rig import EPOCH, ME, SECRET, Hearing, stamp, with_field

pytestmark = pytest.mark.skipif(load(HEAR) is None, reason="the receipt is not compiled here")

NAMES = ["one", "two", "three"]
SIDS = [f"{ME}{name:_>12}" for name in NAMES]
ROOMS = ["red", "blue", 7, SIDS[0], "othernodX-----------", "näher"]
WRONG = ["longer", "short", "version", "flags", "digits", "mac", "empty", "letters"]
usually = st.sampled_from([True] * 9 + [False])


@st.composite
def one_of(draw, usual, *others):
    """The first one, nine times out of ten."""
    return usual if draw(usually) else draw(st.sampled_from(others))


@st.composite
def emits(draw):
    room = draw(st.sampled_from(ROOMS))
    text = draw(st.sampled_from([b'2["a","b"]', '2["ä"]'.encode(), b'2["long",%s]' % (b"0" * 100)]))
    return Emit(
        draw(one_of("/", "/other", "/nobody")),
        draw(one_of([room], None, None, [], ["red", "blue"])),
        draw(one_of([], [SIDS[1]], ["nobody"])),
        draw(one_of([text], [], [b'2["\xff"]'], [text, b"attached"], [b"2"], [b"2[]"])),
        draw(one_of(True, False)),
        draw(one_of(0, 5)),
        draw(st.integers(-1, 3)),
        draw(one_of(0, 2**30)),
    )


@st.composite
def messages(draw):
    event = draw(emits())
    left_out = draw(one_of({}, {"except_": ["blue"]}, {"where": [("session", "a", 1)]}))
    return draw(one_of(Recorded(event, left_out.get("except_", [])), event, Gone(5), Dropped(("channel",))))


changes = st.sampled_from(
    ["cut", *["catch up"] * 6, "replayed", "session", "leave", "fail", "refuse", "gone", "json"]
)


@st.composite
def arrivals(draw):
    """What arrives: its sender and how far its number goes, its message, and what is wrong with it."""
    return (
        draw(st.sampled_from([ME, "otherone", "othertwo"])),
        draw(one_of(1, 0, -1, 2, 999_999, 1_000_001, -(10**6), 2**63)),
        draw(messages()),
        draw(one_of(0.0, 1e5, -100.0, float("nan"))),
        draw(st.sampled_from([None] * 20 + WRONG)),
        draw(one_of(1, 0, -1, 100)),
        draw(one_of(EPOCH, "epoch2", "ep-ch1")),
        draw(usually),
    )


steps = st.one_of(
    st.tuples(st.just("hear"), st.lists(arrivals(), min_size=3, max_size=8)),
    st.tuples(st.just("hear"), st.lists(arrivals(), min_size=3, max_size=8)),
    st.tuples(st.just("pass"), st.sampled_from([0.1] * 6 + [9.0, 1000.0])),
    st.tuples(st.just("change"), changes),
)


class Bus:
    """Makes the bytes that arrive: the same for each node."""

    def __init__(self, recovery, secret):
        self.recovery, self.start = recovery, 26 + 16 * (secret is not None)
        self.numbers, self.place = {}, 0

    def payload(self, node, arrival):
        origin, step, message, age, wrong, further, epoch, is_stamped = arrival
        number = max(0, min(self.numbers.get(origin, 0) + step, 2**64 - 1))
        if 0 < step < 10**6:
            self.numbers[origin] = number
        if not self.recovery and is_stamped and isinstance(message, Recorded):
            message = message.event
        own = origin == ME and self.recovery and isinstance(message, Recorded) and wrong is None
        raw = node.post(message, number) if own else node.pack(message, number, origin=origin, age=age)
        raw = self.spoilt(raw, wrong)
        if not (self.recovery and is_stamped):
            return raw
        place = self.place + further
        self.place = max(self.place, place)
        raw = stamp(raw, max(0, place), epoch)
        return raw.replace(b"0000000", b"000000_", 1) if wrong == "digits" else raw

    def spoilt(self, raw, wrong):
        match wrong:
            case "longer":
                return with_field(raw, self.start)
            case "short":
                return raw[: self.start + 1]
            case "version":
                return b"\x02" + raw[1:]
            case "flags":
                return raw[:1] + bytes([raw[1] ^ 1]) + raw[2:]
            case "mac":
                return raw[:30] + bytes(each ^ 1 for each in raw[30:31]) + raw[31:]
            case "empty":
                return b""
            case "letters":
                return raw[:2] + b"\xff\xe4therone"[:8] + raw[10:]
        return raw


def change(node, what):
    """Change the node."""
    client = node.clients["one"]
    match what:
        case "cut":
            node.streams.cut(node.clock.monotonic())
        case "catch up":
            node.failing = None
            for stream in node.streams._streams.values():
                stream.behind = False
        case "session":
            client.session = None if client.session else node.clients["two"].session
        case "leave":
            client.send = _ignore
        case "fail":
            node.failing = "two", RuntimeError("broken")
        case "refuse":
            node.failing = "one", EnvelopeError("malformed", "a test says so")
    if node.manager.recovery is None:
        return
    follower = node.follower
    match what:
        case "cut":
            follower.order.cut()
        case "catch up":
            follower.order.release()
            follower.fanout._is_json = None
        case "replayed":
            follower.fanout.replayed = follower.order.seen + 1
            node.clients["two"].session.upto = follower.order.seen + 1
        case "json":
            follower.fanout._is_json = False
        case "gone":
            follower._own_events._posted.clear()


def play(node, bus, script):
    """Let it all happen, and return what can be seen after each step."""
    node.add("one", "red", "blue", session=True)
    node.add("two", "red", 7, session=bus.recovery)
    node.add("three", "näher", "red")
    node.add("else", "red", namespace="/other")
    for number in range(12):
        node.add(f"m{number}", "blue")
    seen = []
    for what, value in script:
        if what == "hear":
            node.hear(*[bus.payload(node, arrival) for arrival in value])
        elif what == "pass":
            node.clock.passed += value
        else:
            change(node, value)
        seen.append(node.state())
    return seen


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.booleans(),
    st.sampled_from([None, None, SECRET]),
    st.booleans(),
    st.lists(steps, min_size=8, max_size=20),
)
def test_alike(caplog, recovery, secret, one_way, script):
    """Clients get the same in the same order, the same is remembered, counted and said."""
    seen = []
    for way in ("python", "compiled"):
        caplog.clear()
        with pytest.MonkeyPatch.context() as patches, caplog.at_level(logging.WARNING):
            node = Hearing(patches, way, recovery=recovery, secret=secret, one_way=one_way)
            assert (type(node.receiver.arrived).__name__ == "Ear") == (way == "compiled")
            seen.append((play(node, Bus(recovery, secret), script), caplog.messages.copy()))
    for python, compiled in zip(seen[0][0], seen[1][0], strict=True):
        assert compiled == python
    assert seen[1][1] == seen[0][1]
