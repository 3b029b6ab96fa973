"""Small things asyncio lacks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger("socketio_cluster.manager")

T = TypeVar("T")


def set_once(future: asyncio.Future[T], value: T) -> None:
    """Set a future's result, unless it has one or its waiter is gone."""
    if not future.done():
        future.set_result(value)


def log_error_of(task: asyncio.Task[None]) -> None:
    """Log the error of a task that nobody awaits (a done callback)."""
    if not task.cancelled() and task.exception() is not None:
        logger.critical("a task of the node ended", exc_info=task.exception())


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
