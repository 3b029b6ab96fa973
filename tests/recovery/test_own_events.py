"""``OwnEvents``: what a node knows again when the bus has numbered it."""

from __future__ import annotations

from socketio_cluster.manager.bus.envelope import Codec, Header, read_number
from socketio_cluster.manager.bus.messages import Emit, Recorded
from socketio_cluster.manager.recovery.own_events import MOST_BYTES, OwnEvents

CODEC = Codec("socketio")


def posted(events, number, size=10):
    """Post an event, and return its envelope and what is to come back."""
    event = Header("nodenode", number, 1.0), Recorded(Emit("/", None, [], [b"x" * size], True))
    envelope = CODEC.pack(*event)
    events.posted(envelope, event)
    return envelope, event


def test_an_event_is_known_once():
    """An event that comes back is known, once."""
    events = OwnEvents()
    envelope, own = posted(events, 7)
    assert read_number(envelope) == 7
    assert events.take(bytes(envelope)) == own
    assert events.take(envelope) is None


def test_events_that_do_not_come_back_are_forgotten():
    """An event behind which a newer one has come back is forgotten; one before a newer one is known."""
    events = OwnEvents()
    first, _ = posted(events, 1)
    second, own = posted(events, 2)
    third, newest = posted(events, 3)
    assert events.take(second) == own
    assert events.take(first) is None
    assert events.take(third) == newest


def test_other_bytes_with_a_known_number_are_not_believed():
    """Whoever makes up an envelope with the number of an event does not pass it off as the event."""
    events = OwnEvents()
    envelope, _ = posted(events, 1)
    assert events.take(envelope[:-1] + b"y") is None


def test_the_bytes_are_bounded():
    """The oldest events are forgotten when the bound is exceeded; the newest is known."""
    events = OwnEvents()
    size = MOST_BYTES // 4
    envelopes = [posted(events, number, size) for number in range(1, 7)]
    assert events.take(envelopes[0][0]) is None
    newest, own = envelopes[-1]
    assert events.take(newest) == own
