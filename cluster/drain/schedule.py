"""How many clients are to be let go by when."""

from __future__ import annotations

from math import floor
from typing import Final

LAST_SECONDS: Final = 5.0
"""How long the goodbyes and disconnect handlers of the last clients may take, after the window."""


class Schedule:
    """Lets go evenly: of ``total`` clients one every ``window / total`` seconds, the first one at once.

    Args:
        total: clients at the beginning.
        begin: the time of the beginning, in seconds.
        window: seconds; 0 for all at once.
    """

    def __init__(self, total: int, begin: float, window: float) -> None:
        self._total = total
        self._begin = begin
        self._window = window

    def due(self, present: int, now: float) -> int:
        """How many of those still ``present`` are to go now; who left by himself counts as gone."""
        passed = now - self._begin
        if passed >= self._window:
            return present
        gone = floor(self._total * passed / self._window) + 1
        return max(0, present - max(0, self._total - gone))
