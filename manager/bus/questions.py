"""The open questions to senders of which envelopes were missed, and the times at which to ask them.

There is one question at a time for each sender, and a few senders at a time, so that the answers on their way
are bounded. A question without an answer is repeated after longer and longer times. After an answer the
question for the next piece follows at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final

AT_ONCE: Final = 8
"""The most senders that are asked at the same time."""
FIRST_PAUSE: Final = 1.0
LAST_PAUSE: Final = 16.0
"""Seconds of silence after which a question is repeated: 1, 2, 4 … 16."""


@dataclass(slots=True)
class Question:
    """A question to one sender. ``upto`` is 0 until the first answer says where the last piece ends."""

    number: int
    origin: str
    upto: int = 0
    tries: int = 0
    due: float = 0.0


class Questions:
    """The open questions, one for each sender. Times are in seconds."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: dict[str, Question] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, origin: str) -> None:
        """Add a question to this sender, unless there is one already."""
        if origin not in self._open:
            self._open[origin] = Question(next(self._numbers), origin)

    def close(self, origin: str) -> bool:
        """Remove the question to this sender. Returns False if there was none."""
        return self._open.pop(origin, None) is not None

    def clear(self) -> None:
        """Remove all questions, because the bus is gone."""
        self._open.clear()

    def due(self, now: float) -> list[Question]:
        """Return the questions to ask now. They count as asked."""
        # A repeated question waits for a sender that may never answer, so it must not hold up the others.
        places = AT_ONCE - sum(one.tries == 1 and now < one.due for one in self._open.values())
        asked = []
        for question in self._open.values():
            if now < question.due or (question.tries == 0 and places <= 0):
                continue
            places -= question.tries == 0
            question.due = now + min(LAST_PAUSE, FIRST_PAUSE * 2**question.tries)
            question.tries += 1
            asked.append(question)
        return asked

    def answered(self, origin: str, number: int) -> Question | None:
        """Return the question that an answer belongs to, or None if it is not open any more."""
        question = self._open.get(origin)
        return question if question is not None and question.number == number else None

    def next_piece(self, question: Question, upto: int) -> None:
        """Replace a question by the one for its next piece. With ``upto`` 0 it begins again."""
        self._open[question.origin] = Question(next(self._numbers), question.origin, upto)
