"""The shelf of replayed events, without a bus."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from socketio.packet import Packet

from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Emit, Gone, Recorded
from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.recovery.marking import MarkingFanout
from socketio_cluster.manager.recovery.order import Order
from socketio_cluster.manager.recovery.shelf import MOST_BYTES, Shelf

CODEC = Codec("x")


def pack(message):
    return CODEC.pack(Header("nodenode", 1, 0.0), message)


def event(text):
    return pack(Recorded(Emit("/", ["red"], [], [b'2["%b"]' % text], True)))


@pytest.fixture
def shelf():
    return Shelf(CODEC, MarkingFanout(SimpleNamespace(packet_class=Packet), Order()))


def test_made_once(shelf):
    """All who missed an event get one and the same, with the offset of its place."""
    made = shelf.event(Stamp("aaaaaa", 7), event(b"one"))
    assert made.message.event.rooms == ["red"]
    assert (made.marked.number, made.marked.encoded.parts) == (
        7,
        [b'2["one","%b"]' % made.marked.offset.encode()],
    )
    assert shelf.event(Stamp("aaaaaa", 7), event(b"one")) is made
    other = shelf.event(Stamp("bbbbbb", 7), event(b"other"))
    assert other.marked.offset != made.marked.offset


def test_what_is_no_event(shelf):
    """Other messages and other bytes are nothing, each time."""
    for raw in (pack(Gone(1)), b"\1odd"):
        stamp = Stamp("aaaaaa", len(raw))
        assert [shelf.event(stamp, raw) for _ in range(2)] == [None, None]


def test_bounds(shelf):
    """It holds a number of bytes, those that were used last; one event is always kept."""
    large = event(bytes(MOST_BYTES // 3))
    first, second, third = [shelf.event(Stamp("aaaaaa", at), large) for at in (1, 2, 3)]
    assert shelf.event(Stamp("aaaaaa", 3), large) is third
    assert shelf.event(Stamp("aaaaaa", 2), large) is second
    assert shelf.event(Stamp("aaaaaa", 1), large) is not first
    huge = event(bytes(MOST_BYTES))
    assert shelf.event(Stamp("aaaaaa", 4), huge) is shelf.event(Stamp("aaaaaa", 4), huge)
