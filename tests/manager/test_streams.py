"""Streams: repeats, what was missed, and what is too old."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.envelope import Header
from socketio_cluster.manager.bus.messages import Gone, Offer
from socketio_cluster.manager.bus.streams import CLOCKS_APART, HELD_BYTES, Streams
from socketio_cluster.manager.errors import EnvelopeError


@pytest.fixture
def streams():
    """Nobody is heard yet; silence is 8 s long, and envelopes are too old after 120 s."""
    return Streams(8, 120)


def hear(streams, *numbers, origin="a", now=0.0, sent=None, size=10):
    """Whether each is new; its message is ``Gone(number)``."""
    sent = now if sent is None else sent
    return [streams.take(Header(origin, number, sent), Gone(number), size, now, now) for number in numbers]


def notice(streams, now, sent=None, origin="a"):
    return streams.notice(Header(origin, 0, now if sent is None else sent), now, now)


def offer(streams, upto, since=0, *, again=False, needed=False, origin="a"):
    return streams.offered(origin, Offer(upto, since, b""), again=again, needed=needed)


def test_repeats(streams):
    """A number not above the last one of its sender is a repeat; gaps are fine."""
    assert hear(streams, 5, 5, 6, 9, 7, 10) == [True, False, True, True, False, True]
    assert hear(streams, 1, origin="b") == [True]
    assert streams.seen("a") == 10


def test_a_goodbye_forgets_nothing(streams):
    """What was sent before a goodbye and comes again after it is a repeat; what is new is new."""
    hear(streams, 1, 2)
    streams.leave("a")
    assert hear(streams, 1, 2, 3) == [False, False, True]
    streams.cut(5)
    assert streams.behind() == []


def test_a_cut(streams):
    """After a cut what comes live is held until what was missed has come, then handed out in order."""
    hear(streams, 1, 2)
    streams.cut(10)
    assert streams.behind() == ["a"]
    assert hear(streams, 5, 6, now=10) == [False, False]
    assert [streams.replayed("a", number) for number in (2, 3, 4, 5)] == [False, True, True, True]
    streams.reach("a", 5)
    assert streams.release("a") == [Gone(6)]
    assert hear(streams, 6, 7, now=10) == [False, True]
    assert streams.behind() == []


@pytest.mark.parametrize("first", ["envelope", "notice"])
def test_a_silence(streams, first):
    """After a long silence of a sender, also of one that did not say hello again, some may be missing."""
    hear(streams, 1, 2)
    assert notice(streams, 7)
    assert hear(streams, 3, now=14) == [True]
    if first == "notice":
        assert notice(streams, 23)
    assert hear(streams, 7, now=23) == [False]
    assert streams.behind() == ["a"]
    assert not offer(streams, upto=7, since=7)
    assert [streams.replayed("a", number) for number in (4, 5)] == [True, True]
    streams.reach("a", 6)
    assert streams.release("a") == [Gone(7)]
    assert hear(streams, 8, now=25) == [True]


def test_an_offer_that_shows_that_nothing_was_missed(streams):
    """It does when it goes back to what was seen and names none of this node's channels."""
    hear(streams, 5)
    streams.cut(10)
    assert not offer(streams, upto=9, since=6)
    assert not offer(streams, upto=9, since=5, needed=True)
    assert offer(streams, upto=9, since=5)
    assert streams.release("a") == []
    assert streams.seen("a") == 9
    assert streams.behind() == []


def test_a_beat_brings_the_number_up(streams):
    """A node that missed nothing need not know what went to others: a beat says how far the stream is."""
    hear(streams, 5)
    assert offer(streams, upto=400, since=400)
    assert hear(streams, 400, 401) == [False, True]


def test_a_sender_that_comes_back(streams):
    """It may have dropped what it could not publish: an offer that does not go far enough is not believed."""
    hear(streams, 5)
    assert not offer(streams, upto=400, since=400, again=True)
    assert streams.behind() == ["a"]


def test_a_sender_first_heard_after_a_cut(streams):
    """Of a sender that started during the cut everything is missed, and of one that starts later nothing."""
    streams.cut(10)
    assert hear(streams, 4) == [False]
    assert streams.seen("a") == 0
    assert hear(streams, 1, 2, origin="b") == [True, True]
    notice(streams, 10, origin="c")
    assert offer(streams, 0, origin="c", again=True)
    assert streams.behind() == ["a"]


def test_a_sender_first_heard_without_a_cut(streams):
    """A node that has just started takes a stream where it comes in."""
    notice(streams, 10)
    assert offer(streams, 400, 400, again=True)
    assert hear(streams, 400, 401, now=10) == [False, True]


def test_what_is_held_is_bounded(streams):
    """Beyond the bound nothing more is held, and the stream stays behind from there."""
    hear(streams, 1)
    streams.cut(10)
    half = HELD_BYTES // 2
    assert hear(streams, 3, 4, 5, 6, now=10, size=half - 1000) == [False] * 4
    assert hear(streams, 7, now=10) == [False]
    streams.reach("a", 2)
    assert streams.release("a") == [Gone(3), Gone(4)]
    assert streams.seen("a") == 4
    assert streams.behind() == ["a"]
    assert hear(streams, 8, now=10) == [False]
    streams.reach("a", 7)
    assert streams.release("a") == [Gone(8)]
    assert streams.behind() == []


def test_a_cut_drops_what_is_held(streams):
    """It comes again with what is missed before it."""
    hear(streams, 1)
    streams.cut(10)
    hear(streams, 3, now=10)
    streams.cut(20)
    assert not streams.holds("a")
    assert streams.seen("a") == 1


def test_recorded_notices(streams):
    """One that was heard, or is older than one that was, is a repeat and no sign of life."""
    assert notice(streams, 10)
    assert notice(streams, 12)
    assert not notice(streams, 13, sent=12)
    assert not notice(streams, 14, sent=11)
    assert streams.silent("a", 20.1)


def test_recorded_envelopes_are_no_sign_of_life(streams):
    """A number that was seen does not keep a dead node alive."""
    hear(streams, 1, now=10)
    hear(streams, 1, now=18, sent=10)
    assert streams.silent("a", 18.1)


def test_too_old(streams):
    """What was sent longer ago than anybody keeps it is refused, by the sender's own clock."""
    hour = 3500.0
    assert notice(streams, 1000, sent=1000 - hour)
    assert hear(streams, 1, now=1008, sent=1008 - hour - 119) == [True]
    with pytest.raises(EnvelopeError) as caught:
        hear(streams, 2, now=1008, sent=1008 - hour - 121)
    assert caught.value.reason == "old"


def test_last_week(streams):
    """Of a sender that is not known nothing is believed whose time is out of reach of clocks set wrong."""
    sent = 10_000 - CLOCKS_APART - 121
    with pytest.raises(EnvelopeError, match="clock of a is"):
        hear(streams, 1, now=10_000, sent=sent)
    with pytest.raises(EnvelopeError, match="clock of a is"):
        notice(streams, 10_000, sent=sent)


def test_a_machine_that_stood_still(streams):
    """A sender that was silent, whose clock stood still meanwhile, is heard again with its next notice."""
    notice(streams, 10)
    assert notice(streams, 500, sent=20)
    assert hear(streams, 1, now=501, sent=21) == [True]


def test_memory(streams):
    """A silent sender is forgotten when a recorded envelope of it would be refused anyhow."""
    hear(streams, 5)
    streams.expire(3720)
    assert hear(streams, 5) == [False]
    streams.expire(3720.1)
    with pytest.raises(EnvelopeError):
        hear(streams, 5, now=3720.2, sent=0)


def test_a_number_that_nobody_can_have_reached(streams):
    """A number made up to make repeats of all that follows is refused; one as high as time allows is not."""
    hear(streams, 5)
    with pytest.raises(EnvelopeError, match="number"):
        hear(streams, 2**63, now=8.0)
    notice(streams, 8.0)
    with pytest.raises(EnvelopeError, match="number"):
        offer(streams, 2**63)
    assert hear(streams, 6, now=8.0) == [True]
    assert hear(streams, 3_000_006, now=10.0) == [True]
    with pytest.raises(EnvelopeError, match="number"):
        hear(streams, 4_000_007, now=10.0)
