"""Measures how late the event loop is.

A timer compares the time at which it runs with the time it was set to.
"""

from __future__ import annotations

import asyncio
from typing import Final

CHECK_SECONDS: Final = 0.25
"""Seconds between two measurements."""
WINDOW: Final = 15.0
"""Seconds for which the largest value is kept; it is then kept once more as long, so every scrape sees it."""


class Worst:
    """The largest of the values noted in the last one to two windows.

    The caller gives the time, in seconds.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._until = 0.0
        self._now = self._before = 0.0

    def note(self, value: float, now: float) -> None:
        """Note a value."""
        if now >= self._until:
            self._before = self._now if now < self._until + self._window else 0.0
            self._now = 0.0
            self._until = now + self._window
        self._now = max(self._now, value)

    @property
    def value(self) -> float:
        """The largest value."""
        return max(self._now, self._before)


class LoopLag:
    """Measures the running loop until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._worst = Worst(WINDOW)
        self._due = 0.0
        self._schedule()

    def _schedule(self) -> None:
        self._due = self._loop.time() + CHECK_SECONDS
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        self._worst.note(max(0.0, now - self._due), now)
        self._schedule()

    @property
    def seconds(self) -> float:
        """The largest delay in the last 15 to 30 seconds."""
        return self._worst.value

    def close(self) -> None:
        """Stop measuring."""
        self._timer.cancel()
