"""When each session is to be let go for its age.

Pure book-keeping: times in seconds are given, and so is the chance.
"""

from __future__ import annotations

import heapq
from collections.abc import Container, Sized
from typing import Final, Protocol

JITTER: Final = 0.2
"""A fifth less or more, so that those who came together do not go together."""
SLACK: Final = 1000
"""Ended sessions that may stay in the books before they are looked for."""


class Sessions(Sized, Container[str], Protocol):
    """The ids of the sessions that live."""


class Ages:
    """The sessions in the order of their end.

    Args:
        longest: seconds that a session may last, on average.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._ends: list[tuple[float, str]] = []

    def add(self, sid: str, now: float, chance: float) -> None:
        """Note a new session; ``chance`` is a random number from 0 to 1."""
        lasts = self._longest * (1 + JITTER * (2 * chance - 1))
        heapq.heappush(self._ends, (now + lasts, sid))

    def due(self, now: float) -> list[str]:
        """Take out those whose time has come; some may have ended before."""
        sids = []
        while self._ends and self._ends[0][0] <= now:
            sids.append(heapq.heappop(self._ends)[1])
        return sids

    def sweep(self, living: Sessions) -> None:
        """Forget ended sessions, when there may be more of them than living ones."""
        if len(self._ends) > 2 * len(living) + SLACK:
            self._ends = [entry for entry in self._ends if entry[1] in living]
            heapq.heapify(self._ends)

    def __len__(self) -> int:
        """How many are in the books."""
        return len(self._ends)
