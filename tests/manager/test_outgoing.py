"""What the link sends: notices first, the stream when it flows, answers last."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.outgoing import BATCH_ENTRIES, Outgoing


class Bench:
    def __init__(self):
        self.backlog = Backlog(10**6, 60)
        self.answers = []
        self.outgoing = Outgoing(self.backlog, lambda: self.answers.pop(0) if self.answers else None)

    def post(self, *numbers):
        for number in numbers:
            self.backlog.add(Entry(number, 0.0, ("c",), b"%d" % number))

    def batch(self):
        batch = self.outgoing.batch()
        return [publication.payload for publication in batch.publications], batch


def said(text):
    return Publication(("c",), text)


@pytest.fixture
def bench():
    return Bench()


def test_order(bench):
    """Notices go before what waits, and one answer goes with each batch."""
    bench.post(1, 2)
    bench.outgoing.notice(said(b"beat"))
    bench.answers = [said(b"answer"), said(b"answer 2")]
    payloads, batch = bench.batch()
    assert payloads == [b"beat", b"1", b"2", b"answer"]
    bench.outgoing.sent(batch)
    assert bench.backlog.reached == 2
    assert bench.batch()[0] == [b"answer 2"]
    assert bench.batch()[0] == []


def test_what_waits_until_others_are_back(bench):
    """While the stream does not flow, notices and answers do."""
    bench.outgoing.flowing = False
    bench.post(1)
    bench.outgoing.notice(said(b"hello"))
    bench.answers = [said(b"answer")]
    payloads, batch = bench.batch()
    assert payloads == [b"hello", b"answer"]
    bench.outgoing.sent(batch)
    assert bench.backlog.unsent == 1
    bench.outgoing.flowing = True
    assert bench.batch()[0] == [b"1"]


def test_answers_are_bounded_beside_live_traffic(bench):
    """However many answers wait, a full batch of the stream carries one."""
    bench.post(*range(1, 2 * BATCH_ENTRIES))
    bench.answers = [said(b"answer")] * 9
    assert len(bench.batch()[0]) == BATCH_ENTRIES + 1


def test_a_cut(bench):
    """Notices are lost with the broker; the stream is not."""
    bench.post(1)
    _, batch = bench.batch()
    bench.outgoing.notice(said(b"beat"))
    assert bench.outgoing.told < bench.outgoing.noticed
    bench.outgoing.cut()
    assert bench.outgoing.told == bench.outgoing.noticed
    assert bench.backlog.handed == 0
    assert bench.batch()[0] == [b"1"]
