"""Something that is done every so often, as long as there is something to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Recurring:
    """Calls a function after each interval, on the loop in which ``start`` was called.

    Args:
        seconds: the interval.
        work: returns whether it is to be called again.
    """

    def __init__(self, seconds: float, work: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._work = work
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, unless that was done."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._call)

    def close(self) -> None:
        """Call it no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _call(self) -> None:
        self._timer = None
        if self._work():
            self.start()
