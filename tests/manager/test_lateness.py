"""``Lateness``: whom a node tells that it hears them late."""

from __future__ import annotations

import contextlib

import pytest

from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.lateness import LATE, MANY, PAUSE, PAUSE_OF_EACH, TOLD, Lateness
from socketio_cluster.manager.bus.messages import Gone
from socketio_cluster.manager.bus.stamp import Stamp, stamped, unstamped
from socketio_cluster.manager.bus.stream import PERIOD
from socketio_cluster.manager.bus.streams import Streams
from socketio_cluster.manager.errors import EnvelopeError

ME, A, B, C = "mememeee", "aaaaaaaa", "bbbbbbbb", "cccccccc"
WALL = 1_700_000_000.0
APART = 3.0
"""Seconds by which the clocks of the others are ahead."""
SECRET = "of sixteen or more characters"


class Rig:
    """A node that knows three others, each of which was heard in time."""

    def __init__(self, secret=None):
        self.now = 1000.0
        self.codec = Codec("sio", secret)
        self.streams = Streams(8, 120)
        self.told = []
        self.lateness = Lateness(self.codec, self.streams, lambda *told: self.told.append(told))
        self.number = 0
        for node in (A, B, C):
            self.beat(node)
        self.now += 1

    def header(self, node, late, number=0):
        """The header of an envelope that comes now, and so much later than it could."""
        return Header(node, number, WALL + APART + self.now - late)

    def beat(self, node, late=0.0):
        self.streams.notice(self.header(node, late), self.now, WALL)

    def pack(self, node, late=0.0):
        self.number += 1
        return self.codec.pack(self.header(node, late, self.number), Gone(1))

    def look(self, *payloads):
        """Let envelopes come together, and return who was told then."""
        for payload in payloads:
            with contextlib.suppress(EnvelopeError):
                header = self.codec.header(unstamped(payload))
                self.codec.message(unstamped(payload))
                if self.streams.knows(header.origin):
                    self.streams.note(header, self.now, WALL)
        self.lateness.look([Delivery("c", payload) for payload in payloads], self.now)
        told, self.told = self.told, []
        return told


@pytest.fixture
def rig():
    return Rig()


def test_late(rig):
    """The sender is told by how much, whatever its clock says."""
    [(origins, late)] = rig.look(*[rig.pack(A, 0.03)] * MANY)
    assert (origins, late) == ([A], pytest.approx(0.03, abs=1e-3))


def test_in_time(rig):
    assert not rig.look(*[rig.pack(A, LATE / 2)] * MANY)


def test_the_last_one_counts(rig):
    """What waited before it is read by now: this node only stood still for a moment."""
    assert not rig.look(*[rig.pack(A, 0.5)] * MANY, rig.pack(A))


def test_who_sent_much(rig):
    """Others can do nothing about it."""
    [(origins, _)] = rig.look(*[rig.pack(A, 0.03)] * 20, rig.pack(B, 0.03), *[rig.pack(C, 0.03)] * 30)
    assert origins == [C, A]


def test_own_events(rig):
    """A node with recovery hears its own ones too, and emits wait for these anyway."""
    assert not rig.look(*[rig.pack(A, 0.03)] * MANY, rig.pack(ME, 0.03))
    assert not rig.look(*[rig.pack(ME, 0.03)] * MANY, rig.pack(A, 0.03))


def test_repeats(rig):
    """What was sent long ago and comes again says nothing about now."""
    old = rig.pack(A)
    assert not rig.look(old)
    rig.now += 5
    assert not rig.look(rig.pack(A), old)


def test_numbered_events(rig):
    raw = stamped(Stamp("epoch1", 1_700_000_000_000_000), rig.pack(A, 0.03))
    assert [origins for origins, _ in rig.look(raw)] == [[A]]


def test_not_too_often(rig):
    """The more nodes there are, the less often: all of them may be late."""
    assert rig.look(rig.pack(A, 0.03))
    rig.now += PAUSE / 2
    assert not rig.look(rig.pack(A, 0.03))
    rig.now += PAUSE / 2 + 3 * PAUSE_OF_EACH
    assert rig.look(rig.pack(A, 0.03))


def test_three_hundred_nodes():
    """Together they tell one node no more than 2000 times a second."""
    rig = Rig()
    for number in range(297):
        rig.streams.notice(rig.header(f"node{number:04}", 0.0), rig.now, WALL)
    told = 0
    for _ in range(1000):
        rig.now += 0.001
        told += len(rig.look(rig.pack(A, 0.03)))
    assert 0 < told * 300 <= 2100


def test_three_hundred_senders(rig):
    """The bus is late already, so not all of them are told at once."""
    nodes = [f"node{number:04}" for number in range(300)]
    for node in nodes:
        rig.beat(node)
    rig.now += 1
    [(origins, _)] = rig.look(*[rig.pack(node, 0.03) for node in nodes])
    assert len(set(origins)) == TOLD


@pytest.mark.parametrize("drift", [100e-6, -100e-6])
def test_clocks_that_drift(rig, drift):
    """A clock that is as wrong as a cheap quartz does not look like lateness."""
    for _ in range(100):
        rig.now += 2
        rig.beat(A, drift * rig.now)
    assert not rig.look(rig.pack(A, drift * rig.now))


def test_a_clock_that_was_wrong(rig):
    """It is known after two periods, however wrong it was."""
    rig.beat(A, -10)
    for _ in range(int(2 * PERIOD)):
        rig.now += 1
        rig.beat(A)
    assert not rig.look(rig.pack(A))


def test_another_server(rig):
    """After an outage the way may be longer."""
    rig.streams.cut(rig.now)
    rig.beat(A, 0.5)
    assert not rig.look(rig.pack(A, 0.5))


def test_unknown_and_malformed(rig):
    assert not rig.look(rig.pack("unknown1", 0.03))
    assert not rig.look(b"")
    assert not rig.look(b"\x09 of another version than this")


def test_forged():
    """Where envelopes are signed, nobody else can slow nodes down, or hide that they are late."""
    rig = Rig(SECRET)
    forged = Codec("sio", "another one of sixteen characters")
    assert not rig.look(forged.pack(rig.header(A, 0.03, 1), Gone(1)))
    assert not rig.look(forged.pack(rig.header(A, -1e6, 1), Gone(1)))
    assert not rig.look(rig.pack(A))
    assert rig.look(rig.pack(A, 0.03))
