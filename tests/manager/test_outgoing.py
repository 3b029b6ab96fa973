"""What the link sends: notices first, the stream when it flows, answers last."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.outgoing import BATCH_ENTRIES, Outgoing
from socketio_cluster.manager.bus.window import LEAST, MOST


class Bench:
    def __init__(self):
        self.backlog = Backlog(10**6, 60)
        self.answers = []
        self.outgoing = Outgoing(self.backlog, self._answer, lambda: said(b"mark"))

    def answer(self, *payloads):
        self.answers += [said(payload) for payload in payloads]
        self.outgoing.asked()

    def _answer(self):
        return self.answers.pop(0) if self.answers else None

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
    bench.answer(b"answer", b"answer 2")
    payloads, batch = bench.batch()
    assert payloads == [b"beat", b"1", b"2", b"answer"]
    bench.outgoing.sent(batch, 0.0, 0.01)
    assert bench.backlog.reached == 2
    assert bench.batch()[0] == [b"answer 2"]
    assert bench.batch()[0] == []


def test_what_waits_until_others_are_back(bench):
    """While the stream does not flow, notices and answers do."""
    bench.outgoing.hold()
    bench.post(1)
    bench.outgoing.notice(said(b"hello"))
    bench.answer(b"answer")
    payloads, batch = bench.batch()
    assert payloads == [b"hello", b"answer"]
    bench.outgoing.sent(batch, 0.0, 0.01)
    assert bench.backlog.unsent == 1
    bench.outgoing.flow()
    assert bench.batch()[0] == [b"1"]


def test_answers_are_bounded_beside_live_traffic(bench):
    """However many answers wait, a full batch of the stream carries one."""
    bench.post(*range(1, 2 * BATCH_ENTRIES))
    bench.answer(*[b"answer"] * 9)
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


def test_what_waited_is_paced(bench, monkeypatch):
    """It goes in small batches, each of which ends in a mark that must have come back before the next."""
    monkeypatch.setattr("socketio_cluster.manager.bus.outgoing.LEAST_BYTES", 2)
    bench.outgoing.hold()
    bench.post(1, 2, 3, 4, 5)
    bench.outgoing.flow_paced(nodes=10**9)
    bench.post(6, 7, 8)
    for expected in ([b"1", b"2", b"mark"], [b"3", b"4", b"mark"], [b"5", b"6"], [b"7", b"8"]):
        payloads, batch = bench.batch()
        assert payloads == expected
        bench.outgoing.sent(batch, 0.0, 0.01)
        if b"mark" in payloads:
            bench.outgoing.notice(said(b"beat"))
            assert bench.batch()[0] == [b"beat"]
            bench.outgoing.mark_heard()


def test_the_end_does_not_wait_for_a_mark(bench, monkeypatch):
    """Neither a goodbye nor a new broker does."""
    monkeypatch.setattr("socketio_cluster.manager.bus.outgoing.LEAST_BYTES", 1)
    for first, end in ((1, bench.outgoing.flow), (4, bench.outgoing.cut)):
        bench.post(first, first + 1, first + 2)
        bench.outgoing.flow_paced(nodes=10**9)
        assert bench.batch()[0] == [b"%d" % first, b"mark"]
        end()
        assert not bench.outgoing.marked
        bench.outgoing.sent(bench.batch()[1], 0.0, 0.01)


def test_whether_anything_is_left(bench):
    """A batch tells whether it took all that waited: the stream, its limits, and each answer."""
    bench.post(1, 2)
    assert not bench.outgoing.batch(1).whole
    bench.answer(b"answer")
    assert not bench.batch()[1].whole
    assert bench.batch()[1].whole
    bench.outgoing.hold()
    assert not bench.batch()[1].whole


def test_the_window_follows_the_stream(bench, monkeypatch):
    """A batch of it says how much may wait; notices do not, nor what is paced, held or begun anew."""
    monkeypatch.setattr("socketio_cluster.manager.bus.outgoing.LEAST_BYTES", 1)
    window = bench.outgoing.window
    for start, expected in ((bench.outgoing.flow, LEAST), (lambda: bench.outgoing.flow_paced(10**9), MOST)):
        bench.outgoing.hold()
        bench.outgoing.notice(said(b"beat"))
        bench.outgoing.sent(bench.batch()[1], 0.0, 0.01)
        assert window.size == MOST
        bench.post(bench.backlog.newest_number + 1, bench.backlog.newest_number + 2)
        start()
        bench.outgoing.sent(bench.batch()[1], 0.0, 0.01)
        assert window.size == expected
    bench.outgoing.mark_heard()
    bench.outgoing.sent(bench.batch()[1], 0.0, 0.01)
    assert window.size == LEAST
    bench.outgoing.cut()
    assert window.size == MOST
