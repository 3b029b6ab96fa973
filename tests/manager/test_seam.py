"""The order of what comes on two ways, without a bus."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.broker import INBOX_LIMIT, Delivery, Publication
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Gone
from socketio_cluster.manager.bus.seam import SENDERS, Marks, Seam
from socketio_cluster.manager.errors import BrokerError


def envelope(number, sender="sender_1"):
    return Codec("x").pack(Header(sender, number, 0.0), Gone(1))


def came(*payloads):
    return [Delivery("c", payload) for payload in payloads]


def marks_of(*publications):
    marks = Marks()
    marks.note([Publication(channels, payload) for channels, payload in publications])
    return {mark.channels[0]: mark.payload for mark in marks.take()}


def test_marks():
    """There is one for each channel, that of the last envelope; notices and other bytes have none."""
    marks = marks_of(
        (("red", "blue"), envelope(1)),
        (("blue",), envelope(2)),
        (("all",), envelope(0)),
        (("odd",), b"odd"),
    )
    assert marks == {"red": b"U" + envelope(1)[:26], "blue": b"U" + envelope(2)[:26]}
    assert marks_of() == {}


def test_what_is_marked():
    """It is taken from among all that waits, and the rest waits on, in its order."""
    seam = Seam()
    seam.put(came(envelope(0), envelope(3), envelope(1, "sender_2"), envelope(4), envelope(6)))
    mark = marks_of((("red",), envelope(5)))["red"]
    assert seam.has(mark)
    assert seam.take_marked(mark) == came(envelope(3), envelope(4))
    assert seam.take_marked(mark) == []
    assert seam.take(4) == came(envelope(0), envelope(1, "sender_2"))
    assert seam.take(5) == came(envelope(6))
    assert seam.count == 5


def test_what_has_not_come():
    """A mark says so when nothing as new has come from its sender, or nothing at all."""
    seam = Seam()
    mark = marks_of((("red",), envelope(5)))["red"]
    for payload in (envelope(4), envelope(9, "sender_2"), b"odd"):
        seam.put(came(payload))
        assert not seam.has(mark)
    seam.put(came(envelope(5)))
    assert seam.has(mark)


def test_bounds():
    """More bytes than an inbox holds end it, and only so many senders are remembered."""
    seam = Seam()
    seam.put(came(*(envelope(1, f"{number:08}") for number in range(SENDERS + 1))))
    assert not seam.has(marks_of((("red",), envelope(1, "00000000")))["red"])
    assert seam.has(marks_of((("red",), envelope(1, "00000001")))["red"])
    large = came(bytes(INBOX_LIMIT // 2 + 1))
    seam.take(seam.count)
    seam.put(large)
    seam.take(seam.count)
    seam.put(large)
    with pytest.raises(BrokerError, match="64 MiB behind"):
        seam.put(large)
