"""Catching up: what was missed comes once and in order, and what is lost is said in one line."""

from __future__ import annotations

import time

import pytest

from socketio_cluster.manager.bus.answers import offer
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Emit, Gone, Offer
from socketio_cluster.manager.bus.receiver import Receiver, Twin
from socketio_cluster.manager.bus.streams import Streams
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.stats import Stats
from tests.manager.catching_up_rig import CODEC, Rig, Sender


@pytest.fixture
def rig():
    return Rig()


@pytest.fixture
def a():
    return Sender("aaaaaaaa")


def test_missed(rig, a):
    """What came while the node was away is asked for, and what comes meanwhile waits behind it."""
    rig.live(a.publish(1), a.publish(2))
    a.publish(3)
    a.publish(4, "blue")
    rig.cut()
    rig.settled()
    rig.live(a.publish(5))
    assert rig.heard == [("a", 1), ("a", 2)]
    rig.turn()
    rig.answer(a)
    rig.live(a.publish(6))
    assert rig.heard == [("a", number) for number in (1, 2, 3, 5, 6)]
    assert (rig.stats.gaps, rig.stats.lost) == (0, 0)


def test_nothing_missed(rig, a):
    """An offer without this node's channels is enough: nothing is asked."""
    rig.live(a.publish(1, "green"))
    a.publish(2, "blue")
    rig.cut()
    rig.catching_up.offered(a.name, offer(a.backlog), again=True)
    rig.settled()
    assert rig.asked == []
    rig.live(a.publish(3))
    assert rig.heard == [("a", 1), ("a", 3)]


def test_asked_as_soon_as_an_offer_shows_a_need(rig, a):
    """Nobody waits for the others to make theirs."""
    rig.live(a.publish(1))
    a.publish(2)
    rig.cut()
    rig.catching_up.offered(a.name, offer(a.backlog), again=True)
    rig.turn()
    rig.answer(a)
    assert rig.heard == [("a", 1), ("a", 2)]


def test_a_sender_that_started_meanwhile(rig, a):
    """A node that was cut off asks a new sender for what its first offer shows that it needs."""
    a.publish(1)
    rig.cut()
    rig.hears_of(a)
    rig.catching_up.offered(a.name, offer(a.backlog), again=False)
    rig.turn()
    rig.answer(a)
    assert rig.heard == [("a", 1)]


def test_a_sender_that_started_meanwhile_for_others(rig, a):
    """Nothing is asked of a new sender whose offer shows that all it sent was for other channels."""
    a.publish(1, "blue")
    rig.cut()
    rig.hears_of(a)
    rig.catching_up.offered(a.name, offer(a.backlog), again=False)
    rig.settled()
    assert rig.asked == []
    rig.live(a.publish(2))
    assert rig.heard == [("a", 2)]


def test_a_beat_is_no_answer_to_a_hello(rig, a):
    """Of a sender whose beat comes before its offer nothing is asked until the time for offers is over."""
    rig.live(a.publish(1))
    a.publish(2, "blue")
    rig.cut()
    rig.catching_up.offered(a.name, Offer(2, since=2, marks=b""), again=False)
    rig.turn()
    assert rig.asked == []
    rig.settled()
    assert [origin for origin, _ in rig.asked] == [a.name]


def test_an_offer_that_does_not_go_back_far_enough(rig, a):
    """Its sender is asked at once, as no better one will come."""
    rig.live(a.publish(1))
    for number in range(2, 100):
        a.publish(number, f"blue {number}")
    rig.cut()
    rig.catching_up.offered(a.name, offer(a.backlog), again=False)
    rig.turn()
    assert [origin for origin, _ in rig.asked] == [a.name]


def test_nothing_is_waited_for_when_all_offers_are_there(rig, a, caplog):
    """What came is said as soon as nothing is missing, before the time for offers is over."""
    rig.live(a.publish(1))
    a.publish(2)
    rig.cut()
    rig.catching_up.offered(a.name, offer(a.backlog), again=True)
    rig.turn()
    with caplog.at_level("INFO"):
        rig.answer(a)
        rig.turn()
    assert "caught up: 1 envelopes" in caplog.text


def test_pieces(rig, a, monkeypatch):
    """Piece after piece is asked for, and a cut in between goes on where it was."""
    monkeypatch.setattr("socketio_cluster.manager.bus.answers.PIECE_ENTRIES", 2)
    rig.live(a.publish(1))
    for number in range(2, 8):
        a.publish(number)
    rig.cut()
    rig.settled()
    rig.answer(a)
    assert rig.heard[-1] == ("a", 3)
    rig.cut()
    rig.settled()
    assert rig.asked[-1][1].after == 3
    for _ in range(2):
        rig.answer(a)
        rig.turn()
    assert rig.heard == [("a", number) for number in range(1, 8)]
    assert len(rig.asked) == 3


def test_an_answer_that_comes_twice(rig, a):
    """A question that was repeated may be answered twice: the second time nothing is taken."""
    rig.live(a.publish(1))
    a.publish(2)
    rig.cut()
    rig.settled()
    rig.answer(a)
    rig.answer(a)
    assert rig.heard == [("a", 1), ("a", 2)]


def test_more_than_can_be_held(rig, a, monkeypatch):
    """What comes live and finds no place is asked for afterwards."""
    monkeypatch.setattr("socketio_cluster.manager.bus.streams.HELD_BYTES", 500)
    rig.live(a.publish(1))
    a.publish(2)
    rig.cut()
    rig.settled()
    first = rig.asked[-1][1]
    a.answers.ask("mememeee", first)
    answer = a.answers.next()[1]
    rig.live(*[a.publish(number) for number in range(3, 8)])
    rig.catching_up.answered(a.name, answer)
    assert ("a", 7) not in rig.heard
    rig.turn()
    rig.answer(a)
    rig.live(a.publish(8))
    assert rig.heard == [("a", number) for number in range(1, 9)]


def test_losses_are_said_in_one_line(rig, caplog):
    """Of all senders together, with the number of what this node needed and nobody has any more."""
    senders = [Sender(name * 8, max_bytes=400) for name in "abc"]
    for sender in senders:
        rig.live(sender.publish(1))
        for number in range(2, 42):
            sender.publish(number, "red" if number % 2 else "blue")
    rig.cut()
    rig.settled()
    for origin, ask in list(rig.asked):
        (sender,) = [one for one in senders if one.name == origin]
        sender.answers.ask("mememeee", ask)
        rig.catching_up.answered(origin, sender.answers.next()[1])
    missing = 3 * 21 - len(rig.heard)
    assert missing > 30
    assert (rig.stats.gaps, rig.stats.lost) == (3, missing)
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert line.startswith(f"{missing} envelopes of 3 senders are lost to this node")


def test_a_sender_that_leaves_without_an_answer(rig, a):
    """What is held of it is handed over, and that something may be missing is counted."""
    rig.live(a.publish(1))
    a.publish(2)
    rig.cut()
    rig.settled()
    rig.live(a.publish(3))
    rig.streams.leave(a.name)
    rig.catching_up.give_up(a.name)
    assert rig.heard == [("a", 1), ("a", 3)]
    assert rig.stats.gaps == 1


def test_a_sender_that_leaves_and_was_not_asked(rig, a):
    """Nothing is counted when nothing was wanted of it."""
    rig.live(a.publish(1))
    rig.catching_up.give_up(a.name)
    assert rig.stats.gaps == 0


def test_an_answer_with_rubbish(rig, a):
    """Envelopes in an answer are checked like any other; those that are none do not stop the rest."""
    rig.live(a.publish(1))
    good = a.publish(2).payload
    stranger = CODEC.pack(Header("bbbbbbbb", 3, time.time()), Gone(3))
    empty = CODEC.pack(Header(a.name, 1, time.time()), Emit("/", None, [], [], text=True))
    rig.cut()
    rig.settled()
    a.answers.ask("mememeee", rig.asked[-1][1])
    answer = a.answers.next()[1]
    answer.envelopes = [b"rubbish", stranger, empty, good]
    rig.catching_up.answered(a.name, answer)
    assert rig.heard == [("a", 1), ("a", 2)]
    assert rig.stats.refused == {"malformed": 1, "version": 1} or rig.stats.refused == {"malformed": 2}


def test_a_malformed_offer(rig, a):
    """It is refused as such."""
    rig.live(a.publish(1))
    found = offer(a.backlog)
    found.marks = b"abc"
    with pytest.raises(EnvelopeError):
        rig.catching_up.offered(a.name, found, again=True)


def test_own_notices_are_verified():
    """A header with this node's id and no signature says nothing about how late this node hears."""
    stats = Stats()
    signed = Codec("sio", "correct horse battery staple")
    parts = Streams(8, 120), Twin((), 8), lambda sent: None, stats
    receiver = Receiver("mememeee", signed, *parts, *(lambda *_: None,) * 3)
    receiver.arrived([Delivery("c", CODEC.pack(Header("mememeee", 0, time.time() - 100), Gone(1)))])
    assert (receiver.echo, stats.lag) == (0.0, 0.0)
    assert stats.refused == {"unsigned": 1}
