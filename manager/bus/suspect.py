"""Which envelope breaks the connection to the bus again and again: found by sending one at a time.

A bus that was restarted takes a batch at the second try. One that breaks at the same batch again will
never take something in it: then each envelope of the batch goes alone, so that the innocent get through
and the culprit stands at the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

TRIES: Final = 2
"""Times a batch of several is sent before it is split."""
TRIES_ALONE: Final = 3
"""Times a single envelope is sent before it is given up; the bus was joined anew before each."""


class Suspect:
    """What the bus broke at; pure book-keeping by the numbers of envelopes."""

    def __init__(self) -> None:
        self._head = 0
        self._times = 0
        self._alone = False
        self._until = 0

    def most(self, usual: int) -> int:
        """How many envelopes the next batch may hold."""
        return 1 if self._until else usual

    def failed(self, numbers: Sequence[int]) -> bool:
        """Note that the bus broke at this batch; True when its only envelope is to be given up."""
        alone = len(numbers) == 1
        again = self._head == numbers[0] and self._alone is alone
        self._times = self._times + 1 if again else 1
        self._head, self._alone = numbers[0], alone
        if alone:
            return self._times >= TRIES_ALONE
        if self._times >= TRIES:
            self._until = numbers[-1]
        return False

    def passed(self, number: int) -> None:
        """Note that everything up to this number is done with."""
        if number >= self._until:
            self._until = 0
