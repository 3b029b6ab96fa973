"""``Patience`` tells of the oldest thing that waits for too long."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import pytest

from socketio_cluster.manager.brokers.inbox import REPLY_TIMEOUT
from socketio_cluster.manager.brokers.patience import Patience


class Loop:
    """A loop with at most one timer, in the time of the test."""

    def __init__(self):
        self._now = 1000.0
        self._timer = None

    def time(self):
        return self._now

    def call_later(self, seconds, call):
        assert self._timer is None, "one timer does for all"
        self._timer = SimpleNamespace(at=self._now + seconds, call=call, cancel=self._cancel)
        return self._timer

    def _cancel(self):
        self._timer = None

    def pass_(self, seconds):
        end = self._now + seconds
        while self._timer is not None and self._timer.at <= end:
            timer, self._timer = self._timer, None
            self._now = timer.at
            timer.call()
        self._now = end


class Questions:
    """What waits for a reply. ``late`` are the times at which one was late."""

    def __init__(self):
        self.loop, self.waiting, self.late = Loop(), deque(), []
        self.patience = Patience(self.loop, self.waiting, self._over)

    def _over(self):
        self.late.append(self.loop.time())
        self.waiting.clear()

    def ask(self):
        self.waiting.append(SimpleNamespace(at=self.loop.time()))
        self.patience.asked()

    def answer(self):
        self.waiting.popleft()


@pytest.fixture
def questions():
    return Questions()


def test_the_oldest_counts(questions):
    """The oldest waits for as long as it may and no longer, whenever the timer was set."""
    questions.ask()
    questions.loop.pass_(REPLY_TIMEOUT / 2)
    questions.answer()
    due = questions.loop.time() + REPLY_TIMEOUT
    questions.ask()
    questions.loop.pass_(REPLY_TIMEOUT / 4)
    questions.ask()
    questions.loop.pass_(10 * REPLY_TIMEOUT)
    assert questions.late == [due]


def test_answered_in_time(questions):
    """Nothing is late where each answer comes in time, however many questions there are."""
    for _ in range(20):
        questions.ask()
        questions.loop.pass_(0.9 * REPLY_TIMEOUT)
        questions.answer()
    questions.loop.pass_(10 * REPLY_TIMEOUT)
    assert not questions.late


def test_once_more(questions):
    """After a silence, and after a time without questions, the next one is watched again."""
    for count in (1, 2):
        questions.ask()
        questions.loop.pass_(2 * REPLY_TIMEOUT)
        assert len(questions.late) == count


def test_the_end(questions):
    """Nobody is told of what waits when the connection has ended."""
    questions.ask()
    questions.patience.end()
    questions.loop.pass_(2 * REPLY_TIMEOUT)
    assert not questions.late
