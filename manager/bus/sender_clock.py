"""The time that a sender writes on its envelopes: epoch seconds that only ever grow."""

from __future__ import annotations

from typing import Final

STEP: Final = 1e-6
"""Seconds between two readings at least; a float of today has a resolution of 0.24 µs."""


class SenderClock:
    """Follows the machine's clock when that is set forward, and goes on steadily when it is set back.

    Receivers take what was sent earlier than what they have heard for a repeat, so this clock never goes
    back: a sender would not be heard until it had caught up with itself.
    """

    def __init__(self) -> None:
        self._offset = float("-inf")
        self._last = 0.0

    def read(self, wall: float, steady: float) -> float:
        """Give the time; ``wall`` is the machine's in epoch seconds, ``steady`` its monotonic clock."""
        self._offset = max(self._offset, wall - steady)
        self._last = max(steady + self._offset, self._last + STEP)
        return self._last
