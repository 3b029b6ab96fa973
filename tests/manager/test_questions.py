"""Questions: few at a time, one for each sender, and repeated later and later."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.questions import AT_ONCE, Questions


@pytest.fixture
def questions():
    return Questions()


def ask(questions, now):
    return [question.origin for question in questions.due(now)]


def test_repeated_later_and_later(questions):
    """A sender that is silent is asked again after 1, 2, 4, 8, 16, 16 … seconds."""
    questions.open("a")
    questions.open("a")
    times = [now / 10 for now in range(700) if ask(questions, now / 10)]
    assert times == [0, 1, 3, 7, 15, 31, 47, 63]


def test_few_at_a_time(questions):
    """The next sender is asked when one has answered, or was silent."""
    for number in range(AT_ONCE + 2):
        questions.open(f"n{number}")
    first = questions.due(0)
    assert len(first) == AT_ONCE
    assert ask(questions, 0.5) == []
    assert questions.close("n0")
    assert ask(questions, 0.5) == [f"n{AT_ONCE}"]
    assert f"n{AT_ONCE + 1}" in ask(questions, 1.1)


def test_the_next_piece(questions):
    """It is asked for at once, under a number of its own, and the answer before counts no more."""
    questions.open("a")
    (first,) = questions.due(0)
    assert questions.answered("a", first.number) is first
    questions.next_piece(first, 99)
    assert questions.answered("a", first.number) is None
    (second,) = questions.due(0)
    assert (second.upto, second.number != first.number) == (99, True)


def test_an_answer_to_nobody(questions):
    """An answer that was not asked for is not taken."""
    assert questions.answered("a", 1) is None
    questions.open("a")
    questions.clear()
    assert questions.due(0) == []
    assert not questions.close("a")
