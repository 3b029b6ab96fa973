"""What waits for the foreign bus is bounded, and whatever does not reach it is counted."""

from __future__ import annotations

from socketio_cluster.manager.bridge.dialect import Post
from socketio_cluster.manager.bridge.outbox import Entry, Outbox


def entry(size, at, ends):
    return Entry([Post("channel", b"x" * size)], at, ends.append)


def test_bounds():
    """The oldest entries go when there are too many bytes, and those that have waited for too long."""
    outbox, ends = Outbox(most_bytes=100, most_seconds=10), []
    for at in range(5):
        outbox.add(entry(30, at, ends))
    assert (len(outbox), outbox.lost, ends) == (3, 2, [False, False])
    outbox.expire(12.5)
    assert (len(outbox), outbox.lost) == (2, 3)
    assert [each.at for each in outbox.take(5)] == [3, 4]


def test_outcomes():
    """Each entry is told once whether the bus has it; what was not confirmed counts as lost."""
    outbox, sent, failed = Outbox(1000, 10), [], []
    outbox.add(entry(1, 0, sent))
    outbox.add(entry(1, 0, failed))
    outbox.sent(outbox.take(1))
    outbox.failed(outbox.take(1))
    assert (sent, failed, outbox.lost, len(outbox)) == ([True], [False], 1, 0)
