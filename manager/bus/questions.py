"""Whom this node still has to ask for what it missed, and when.

One question at a time for each sender, a few senders at a time, so that the answers under way are bounded.
A question that is not answered is repeated, later and later; one that is answered goes on with its next
piece at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final

AT_ONCE: Final = 8
"""Senders asked at the same time."""
FIRST_PAUSE: Final = 1.0
LAST_PAUSE: Final = 16.0
"""Seconds of silence after which a question is repeated: 1, 2, 4 … 16."""


@dataclass(slots=True)
class Question:
    """A question to one sender; ``upto`` is 0 until the first answer says where the last piece ends."""

    number: int
    origin: str
    upto: int = 0
    tries: int = 0
    due: float = 0.0


class Questions:
    """The open questions, one of each sender; times are seconds."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: dict[str, Question] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, origin: str) -> None:
        """Have something to ask this sender, unless it is being asked already."""
        if origin not in self._open:
            self._open[origin] = Question(next(self._numbers), origin)

    def close(self, origin: str) -> bool:
        """Ask this sender no more; False when it was not asked."""
        return self._open.pop(origin, None) is not None

    def clear(self) -> None:
        """Ask nobody: the bus is gone."""
        self._open.clear()

    def due(self, now: float) -> list[Question]:
        """What to ask now; each is noted as asked."""
        # One that was repeated waits for a sender that may never answer: it must not hold up the others.
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
        """The question that an answer belongs to, if it is open."""
        question = self._open.get(origin)
        return question if question is not None and question.number == number else None

    def next_piece(self, question: Question, upto: int) -> None:
        """Go on with a question whose answer had more to come; ``upto`` 0: begin anew."""
        self._open[question.origin] = Question(next(self._numbers), question.origin, upto)
