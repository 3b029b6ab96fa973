"""``Rest``: for how long emits wait because other nodes hear this one late (``lateness.py``).

A node that is late by some seconds has read what is on its way to it after as many. Until then nothing more
should follow. This is pure book-keeping; ``now`` is this node's monotonic clock in seconds.
"""

from __future__ import annotations

from typing import Final

LEAST: Final = 0.005
"""Seconds. One that is late by less is not slow: a flush takes as long."""
LONGEST: Final = 0.05
"""Seconds of one rest at most."""
SHARE: Final = 0.8
"""The part of the time that is rest, at most. One slow node must not stop all others."""


class Rest:
    """The rest of one node, which several late nodes may make longer."""

    __slots__ = ("_began", "_end", "_is_on")

    def __init__(self) -> None:
        self._began = self._end = 0.0
        self._is_on = False

    def begin(self, late: float, now: float) -> float:
        """Begin a rest, or make it longer, as another node is so many seconds late.

        Returns after how many seconds to call ``end``, now instead of what was returned before; 0 if nothing
        changes.
        """
        if not late >= LEAST or (not self._is_on and now < self._next):
            return 0.0
        if not self._is_on:
            self._began = self._end = now
        end = self._began + min(late, LONGEST)  # What is read last was sent when the rest began.
        if end <= self._end:
            return 0.0
        self._end, self._is_on = end, True
        return end - now

    def end(self, now: float) -> None:
        """End the rest, if there is one. A busy node may do so late, and is free after it all the same."""
        if self._is_on:
            self._end, self._is_on = max(self._end, now), False

    @property
    def _next(self) -> float:
        """When the next rest may begin."""
        return self._began + (self._end - self._began) / SHARE
