"""Answers: a piece for each question, of what its asker needs, and what is lost is counted."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.answers import OFFER_MARKS, PIECE_BYTES, PIECE_ENTRIES, SCAN, Answers, offer
from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.channel_set import ChannelSet, mark, pack_marks
from socketio_cluster.manager.bus.messages import Answer, Ask

RED = ChannelSet(["red"]).raw


def stream(*channels, size=10, max_bytes=10**9):
    """A backlog whose entries, all sent, went to these channels in turn."""
    backlog = Backlog(max_bytes, 60)
    for number, channel in enumerate(channels, 1):
        backlog.add(Entry(number, 0.0, (channel,), b"%d" % number + b"x" * size))
        backlog.batch(1, 10**9)
        backlog.sent(number)
    return backlog


def pieces(answers, after=0):
    """Ask as long as there is more; returns all pieces."""
    found, upto = [], 0
    while not found or found[-1].reached < found[-1].upto:
        answers.ask("a", Ask(1, after, upto, RED))
        origin, piece = answers.next()
        assert origin == "a"
        assert answers.next() is None
        found.append(piece)
        after, upto = piece.reached, piece.upto
    return found


def test_by_need():
    """Only what went to the asker's channels after what it has is answered."""
    answers = Answers(stream("red", "blue", "red", "blue", "red", "blue", size=0))
    answers.ask("a", Ask(7, 1, 0, RED))
    assert answers.next() == ("a", Answer(7, [b"3", b"5"], 6, 6, 0, True))


def test_nothing_missed():
    """An empty answer says so."""
    answers = Answers(stream("red", "blue"))
    answers.ask("a", Ask(7, 1, 0, RED))
    assert answers.next() == ("a", Answer(7, [], 2, 2, 0, True))


@pytest.mark.parametrize("size", [10, 1000, PIECE_BYTES + 1])
def test_pieces(size):
    """A piece is bounded by bytes and number, and holds one envelope at least; together they are complete."""
    count = 5 if size > PIECE_BYTES else 2500
    found = pieces(Answers(stream(*["red"] * count, size=size)))
    assert len(found) > 1
    assert all(sum(map(len, piece.envelopes)) <= max(PIECE_BYTES, size + 5) for piece in found)
    assert all(len(piece.envelopes) <= PIECE_ENTRIES for piece in found)
    assert [raw[:1] for piece in found for raw in piece.envelopes] == [
        b"%d" % number for number in (int(str(n)[0]) for n in range(1, count + 1))
    ]


def test_no_long_search():
    """A piece ends after so many envelopes for others, so that the node is not held up."""
    found = pieces(Answers(stream(*["blue"] * (2 * SCAN), "red")))
    assert [len(piece.envelopes) for piece in found] == [0, 0, 1]


def test_what_comes_live_is_not_answered():
    """The end is where the stream was when the asker, which hears again, asked first."""
    backlog = stream("red", "red")
    answers = Answers(backlog)
    answers.ask("a", Ask(1, 0, 0, RED))
    backlog.add(Entry(3, 0.0, ("red",), b"3"))
    backlog.batch(1, 100)
    _, piece = answers.next()
    assert (len(piece.envelopes), piece.upto) == (2, 2)


def test_what_is_lost_is_counted_for_those_who_needed_it():
    """Of what is not kept any more, each asker is told how many it would have got."""
    backlog = stream(*["red", "blue", "blue"] * 100, max_bytes=1100)
    (red,) = pieces(Answers(backlog))
    assert red.lost + len(red.envelopes) == 100
    assert 50 < red.lost < 100
    assert red.exact
    answers = Answers(backlog)
    answers.ask("a", Ask(1, 0, 0, ChannelSet(["green"]).raw))
    assert answers.next()[1] == Answer(1, [], 300, 300, 0, True)


def test_lost_beyond_memory(monkeypatch):
    """What went so long ago that nothing is known of it makes the count inexact."""
    monkeypatch.setattr("socketio_cluster.manager.bus.backlog.GONE_ENTRIES", 10)
    (piece,) = pieces(Answers(stream(*["red"] * 100, max_bytes=600)))
    assert piece.lost == 10
    assert not piece.exact


def test_one_question_for_each_asker():
    """A question that comes again replaces itself, and askers take turns."""
    answers = Answers(stream("red"))
    for origin, number in (("a", 1), ("b", 1), ("a", 2)):
        answers.ask(origin, Ask(number, 0, 0, RED))
    assert [(origin, piece.question) for origin, piece in (answers.next(), answers.next())] == [
        ("b", 1),
        ("a", 2),
    ]
    assert answers.next() is None


def test_answers_take_no_room():
    """However much is asked for, a full backlog keeps all it has, and nothing waits in it."""
    backlog = stream(*["red"] * 100, max_bytes=1192)
    before = [backlog.size, backlog.newest_number, backlog.unsent]
    answers = Answers(backlog)
    for _ in range(3):
        assert len(pieces(answers)[0].envelopes) == 100
    assert [backlog.size, backlog.newest_number, backlog.unsent] == before
    backlog.add(Entry(101, 0.0, ("red",), b"x"))
    assert backlog.size < before[0], "it was full, and the oldest has gone"


def test_questions_are_bounded(monkeypatch):
    """Beyond the bound a question is passed over; a smaller one still finds a place."""
    monkeypatch.setattr("socketio_cluster.manager.bus.answers.ASKERS_BYTES", 12)
    answers = Answers(stream("red"))
    for origin in "abc":
        answers.ask(origin, Ask(1, 0, 0, RED))
    assert [answers.next()[0], answers.next()[0], answers.next()] == ["a", "b", None]


def test_a_short_offer():
    """It names the channels of the whole stream when they are few."""
    found = offer(stream("red", "blue", "red"))
    assert (found.upto, found.since) == (3, 0)
    assert sorted(found.marks) == sorted(pack_marks([mark("red"), mark("blue")]))


def test_a_long_offer():
    """Of many channels it names the newest, and says how far back that goes."""
    count = 3 * OFFER_MARKS
    found = offer(stream(*[f"room{number}" for number in range(1, count + 1)]))
    assert (found.upto, found.since) == (count, count - OFFER_MARKS)
    assert len(found.marks) == 4 * OFFER_MARKS
    assert offer(stream()).upto == 0
