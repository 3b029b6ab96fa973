"""The end of a run: what still comes is waited for before the verdict."""

from __future__ import annotations

from types import SimpleNamespace

import gevent
import pytest

from socketio_cluster.loadtest import run
from socketio_cluster.loadtest.run import Run

ROOM = "/ room 1"


@pytest.fixture
def ending(monkeypatch):
    """A run with one listener who has had the first message, and the stream of it; a second is 50 ms."""
    monkeypatch.setattr(run, "QUIET", 0.05)
    one = Run(SimpleNamespace(parsed_options=SimpleNamespace(quiet=10.0, settle=0.5)))
    now = one.recorder.now()
    stream = one.ledger.stream("s", ROOM, "sender")
    receiver = one.ledger.receiver("listener")
    receiver.ask(ROOM, now - 2)
    receiver.join(ROOM, now - 2)
    receiver.arrive("s", stream.send(now - 1))
    stream.confirm(1, now - 1)
    stream.open = False
    return one, stream, receiver


def test_repeats_that_still_come(ending):
    """As long as something comes that may be wrong, the run is not judged."""
    one, _, receiver = ending

    def repeat():
        for _ in range(20):
            gevent.sleep(0.02)
            receiver.arrive("s", 1)

    gevent.spawn(repeat)
    one.stopping()
    assert one.verdict.duplicated == 20


def test_a_message_without_an_answer_yet(ending):
    """A message whose sender still waits for the answer may become due: its loss is seen."""
    one, stream, receiver = ending
    one.options.quiet = 0.4
    stream.send(one.recorder.now())

    def answer():
        gevent.sleep(0.2)
        stream.confirm(2, one.recorder.now())
        stream.open = False

    gevent.spawn(answer)
    one.stopping()
    assert (one.verdict.delivered, one.verdict.lost) == (1, 1)


def test_a_message_that_was_given_up(ending):
    """A message whose answer is not waited for any more holds up nobody."""
    one, stream, _ = ending
    stream.send(one.recorder.now())
    stream.open = False
    with gevent.Timeout(5):
        one.stopping()
    assert (one.verdict.lost, one.verdict.undecided) == (0, 1)
