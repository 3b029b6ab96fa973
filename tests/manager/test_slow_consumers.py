"""Who is behind, and who of them is slow."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.clients.slow_consumers import MAX_EXTRA_MARKS, SlowConsumers


class Way:
    """A way out with so many bytes waiting."""

    mark = 100

    def __init__(self, queued):
        self.queued = queued

    def cut_off(self):
        raise AssertionError("that is for who asks")


@pytest.fixture
def consumers():
    return SlowConsumers(5)


def test_who_reads_nothing(consumers):
    """A client is slow when what waits has not shrunk for the time, and is told of once."""
    way = Way(101)
    assert not consumers.add(way, 0)
    assert [consumers.check(now) for now in (1, 4, 5, 6)] == [[], [], [way], []]


def test_who_reads_a_little(consumers):
    """A client whose queue shrinks is not slow, however long it takes."""
    way = Way(1000)
    consumers.add(way, 0)
    for now in range(4, 400, 4):
        way.queued -= 1
        assert consumers.check(now) == []


def test_who_gets_more_than_it_reads(consumers):
    """A client whose queue stays as it is, though it reads, is slow: it would never catch up."""
    way = Way(500)
    consumers.add(way, 0)
    for now in range(1, 5):
        way.queued += 10
        assert not consumers.add(way, now)
        assert consumers.check(now) == []
    assert consumers.check(5) == [way]


def test_one_large_message(consumers):
    """One message of any size passes, and some marks more; then its client is slow at once."""
    way = Way(100_000)
    assert not consumers.add(way, 0)
    way.queued += MAX_EXTRA_MARKS * Way.mark
    assert not consumers.add(way, 0)
    way.queued += 1
    assert consumers.add(way, 0)
    assert consumers.behind == {}


def test_who_has_caught_up(consumers):
    """Who has come down to the mark is not behind any more, and begins anew the next time."""
    way = Way(101)
    consumers.add(way, 0)
    way.queued = 100
    assert consumers.check(4) == []
    assert consumers.behind == {}
    way.queued = 101
    consumers.add(way, 4)
    assert consumers.check(8) == []
    assert consumers.check(9) == [way]
