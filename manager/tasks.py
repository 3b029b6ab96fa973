"""Helpers for tasks, futures and timers of asyncio."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final, TypeVar

logger = logging.getLogger("socketio_cluster.manager")

T = TypeVar("T")

LATE: Final = 1.0
"""If a tick is late by so many seconds, the loop was blocked, and the silence of others means nothing."""

ROUNDS: Final = 10
"""How often tasks are ended that others have begun while they were being ended."""


def set_once(future: asyncio.Future[T], value: T) -> None:
    """Set the result of a future, unless it has one already or was cancelled."""
    if not future.done():
        future.set_result(value)


def log_error_of(task: asyncio.Task[None]) -> None:
    """Log the error of a task that nobody awaits. This is a done callback of the task."""
    if not task.cancelled() and task.exception() is not None:
        logger.critical("a task of the node ended", exc_info=task.exception())


async def end_all(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel tasks, also those that they begin in their end, and empty the set. Returns when all have ended.

    Of each chain of tasks that begin one another so many are ended as ``ROUNDS`` says; the rest is logged.
    """
    for _ in range(ROUNDS):
        if not tasks:
            return
        some = list(tasks)
        for task in some:
            task.cancel()
        await asyncio.gather(*some, return_exceptions=True)
        # Since Python 3.12 `gather` does not wait for tasks that are done: their callbacks may not have run.
        tasks.difference_update(some)
    if tasks:
        logger.error("tasks begin others whenever they are cancelled, so these go on: %s", list(tasks))


async def happens(event: Coroutine[Any, Any, None], task: asyncio.Task[None], seconds: float) -> bool:
    """Wait for an event that a task brings about, for so many seconds at most. Returns whether it happened.

    Raises what the task raises if it ends before.
    """
    waiting = asyncio.ensure_future(event)
    try:
        ended, _ = await asyncio.wait({waiting, task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if task in ended:
        task.result()
    return waiting in ended


async def ticks(seconds: float) -> AsyncIterator[tuple[float, bool]]:
    """Yield the monotonic time every so many seconds, and whether this tick is late."""
    last = time.monotonic()
    while True:
        await asyncio.sleep(seconds)
        now = time.monotonic()
        yield now, now - last > seconds + LATE
        last = now


class Recurring:
    """Calls a function again and again, on the event loop in which ``start`` was called.

    Args:
        seconds: the interval between two calls.
        work: the function. It returns whether it has to be called again.
    """

    def __init__(self, seconds: float, work: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._work = work
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Schedule the next call, unless one is scheduled already."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._call)

    def close(self) -> None:
        """Stop the calls."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _call(self) -> None:
        self._timer = None
        if self._work():
            self.start()


def run_now(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, and return its result. Raises ``RuntimeError`` for one that waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    work.close()
    raise RuntimeError(f"{work!r} waits, though it has to end at once")
