"""Events of the history are read once for many clients, without a bus."""

from __future__ import annotations

from types import SimpleNamespace

import socketio

from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Emit, Gone, Recorded
from socketio_cluster.manager.bus.store import Place
from socketio_cluster.manager.recovery.marking import MarkingFanout
from socketio_cluster.manager.recovery.offset import write_offset
from socketio_cluster.manager.recovery.order import Order
from socketio_cluster.manager.recovery.read_events import MOST_BYTES, ReadEvents

CODEC = Codec("sio", "secret")


def event(size=1):
    emit = Emit("/", ["red"], [], [b'2["n","' + b"x" * size + b'"]'], True)
    return CODEC.pack(Header("nodenode", 1, 0.0), Recorded(emit, [], []))


def events():
    order = Order()
    order.begin(Place("aB3-_9", 100, 50))
    manager = SimpleNamespace(packet_class=socketio.packet.Packet)
    return ReadEvents(CODEC, MarkingFanout(manager, order))


def test_read_once():
    """The second client gets the same bytes as the first, with the offset of the event."""
    some = events()
    first = some.read(101, event())
    offset = write_offset("aB3-_9", 101)
    assert first.marked.encoded.parts == [b'2["n","x","%b"]' % offset.encode()]
    assert first.message.event.rooms == ["red"]
    assert some.read(101, event()) is first
    assert some.read(102, event()) is not first
    some.forget()
    assert some.read(101, event()) is not first


def test_a_bounded_number():
    """More than can be kept is read anew."""
    some = events()
    half = event(MOST_BYTES // 2 + 1)
    first = some.read(1, half)
    assert some.read(1, half) is first
    some.read(2, half)
    assert some.read(1, half) is first
    some.read(3, half)
    assert some.read(1, half) is not first


def test_what_is_refused():
    """What is not signed, or no event, is nobody's."""
    some = events()
    assert some.read(1, Codec("sio", "other").pack(Header("nodenode", 1, 0.0), Gone(1))) is None
    assert some.read(2, CODEC.pack(Header("nodenode", 1, 0.0), Gone(1))) is None
    assert some.read(3, b"") is None
