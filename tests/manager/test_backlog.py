"""The backlog: in order, bounded, and honest about what it gave away."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.backlog import Backlog, Entry


def entry(number, at=0.0, size=10):
    return Entry(number, at, ("c",), b"x" * size)


def numbers(entries):
    return [one.number for one in entries]


def kept(backlog):
    return numbers(one for one in backlog.between(0, 99) if one.payload)


@pytest.fixture
def backlog():
    """Five entries, in a backlog of 100 bytes and 60 seconds."""
    backlog = Backlog(100, 60)
    for number in range(1, 6):
        assert backlog.add(entry(number)) == 0
    return backlog


def test_batches(backlog):
    """A batch is bounded by count and bytes, holds one at least, and is the same until it is confirmed."""
    assert numbers(backlog.batch(3, 1000)) == [1, 2, 3]
    assert numbers(backlog.batch(9, 25)) == [1, 2]
    assert numbers(backlog.batch(9, 1)) == [1]
    backlog.sent(2)
    assert numbers(backlog.batch(9, 1000)) == [3, 4, 5]
    assert backlog.unsent == 3
    backlog.sent(5)
    assert backlog.batch(9, 1000) == []


def test_awaits(backlog):
    """A number is awaited until the bus has it."""
    backlog.sent(2)
    assert [backlog.awaits(number) for number in range(1, 6)] == [False, False, True, True, True]
    assert backlog.reached == 2


def test_between(backlog):
    """What is kept between two numbers comes in order, sent or not."""
    backlog.sent(3)
    assert numbers(backlog.between(0, 9)) == [1, 2, 3, 4, 5]
    assert numbers(backlog.between(2, 4)) == [3, 4]
    assert numbers(backlog.between(5, 9)) == []


def test_what_has_gone_is_known(backlog):
    """Of what had to go the number and the channels are known, and no bytes."""
    backlog.sent(1)
    backlog.add(entry(6, size=80))
    assert [(one.number, one.channels, one.payload == b"") for one in backlog.between(0, 9)] == [
        (1, ("c",), True),
        (2, ("c",), True),
        (3, ("c",), True),
        (4, ("c",), False),
        (5, ("c",), False),
        (6, ("c",), False),
    ]
    assert backlog.floor == 0


def test_what_has_gone_is_forgotten(monkeypatch, backlog):
    """Not for ever: the floor says up to which number nothing is known."""
    monkeypatch.setattr("socketio_cluster.manager.bus.backlog.GONE_ENTRIES", 2)
    backlog.add(entry(6, size=95))
    assert backlog.floor == 3
    assert numbers(backlog.between(0, 9)) == [4, 5, 6]


def test_handed(backlog):
    """What was given to a broker is handed to it, until that broker is gone without having confirmed it."""
    assert backlog.handed == 0
    backlog.batch(3, 1000)
    assert backlog.handed == 3
    assert numbers(backlog.newest()) == [3, 2, 1]
    backlog.sent(3)
    backlog.batch(1, 1000)
    assert backlog.handed == 4
    backlog.cut()
    assert backlog.handed == 3
    assert numbers(backlog.newest()) == [3, 2, 1]


def test_what_goes_unsent_counts_as_handed(backlog):
    """It will never come: who asks is told of it."""
    backlog.add(entry(6, size=80))
    assert backlog.handed == 3
    assert numbers(backlog.newest()) == [3, 2, 1]


def test_bytes(backlog):
    """Over the bound the oldest go: those already sent first, without a loss, then unsent ones, counted."""
    backlog.sent(2)
    assert backlog.add(entry(6, size=70)) == 0
    assert kept(backlog) == [3, 4, 5, 6]
    assert backlog.add(entry(7, size=60)) == 4
    assert numbers(backlog.batch(9, 1000)) == [7]
    assert backlog.handed == 7
    assert backlog.size == 60


def test_age():
    """What is older than the bound goes."""
    backlog = Backlog(100, 60)
    for number, at in ((1, 0), (2, 10), (3, 50)):
        backlog.add(entry(number, at))
    backlog.sent(1)
    assert backlog.expire(60) == 0
    assert backlog.expire(71) == 1
    assert kept(backlog) == [3]


def test_larger_than_the_bound():
    """An entry larger than the bound goes at once, is counted, and counts as not sent."""
    backlog = Backlog(100, 60)
    assert backlog.add(entry(1, size=101)) == 1
    assert backlog.size == 0
    assert not backlog.awaits(1)
    assert backlog.reached == 0


def test_again():
    """What was added since a time and sent is sent again; what of it was dropped counts as lost."""
    backlog = Backlog(40, 60)
    for number in range(1, 7):
        backlog.add(Entry(number, float(number), (f"c{number}",), b"x" * 10, (f"c{number}",)))
        backlog.sent(number)
    assert backlog.again(6.5) == 0
    assert backlog.again(5.0) == 2
    assert numbers(backlog.batch(10, 1000)) == [5, 6]
    assert backlog.reached == 4
    assert backlog.losses.take() == ()
    assert backlog.again(2.0) == 2
    assert numbers(backlog.batch(10, 1000)) == [3, 4, 5, 6]
    assert backlog.reached == 2
    assert backlog.losses.take() == ("c2",)


def test_withdraw(backlog):
    """What was in no batch can be taken back; what was in one may be on the bus, and is taken out too."""
    backlog.batch(2, 1000)
    assert backlog.withdraw(4)
    assert not backlog.withdraw(2)
    assert numbers(backlog.batch(9, 1000)) == [1, 3, 5]
    assert backlog.size == 30
    backlog.sent(5)
    assert not backlog.withdraw(5)
    assert kept(backlog) == [1, 3, 5]


def test_size_returns_to_nothing():
    """The bytes are counted down with everything that goes, whichever way."""
    backlog = Backlog(1000, 10)
    for number in range(1, 9):
        backlog.add(entry(number, size=number))
    backlog.batch(3, 1000)
    backlog.sent(3)
    backlog.withdraw(5)
    backlog.expire(11)
    assert backlog.size == 0
    assert backlog.unsent == 0
