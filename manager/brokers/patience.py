"""``Patience``: the time that a Redis server has for its replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from socketio_cluster.manager.brokers.inbox import REPLY_TIMEOUT


class Asked(Protocol):
    """Something that the server was asked at the time ``at`` (of the loop)."""

    @property
    def at(self) -> float:
        """When it was asked."""


class Patience:
    """Tells when the oldest of the things that wait has waited for ``REPLY_TIMEOUT``.

    One timer does for all of them: it is set when one is asked while it does not run, and looks again when
    the oldest of then would be late.

    Args:
        loop: has the clock and the timers.
        waiting: what waits for a reply, the oldest first. Its owner adds and removes.
        over: is called when the oldest has waited for too long.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, waiting: Sequence[Asked], over: Callable[[], object]
    ) -> None:
        self._loop = loop
        self._waiting = waiting
        self._over = over
        self._timer: asyncio.TimerHandle | None = None

    def asked(self) -> None:
        """Note that something was added."""
        if self._timer is None:
            self._timer = self._loop.call_later(REPLY_TIMEOUT, self._look)

    def end(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        left = self._waiting[0].at + REPLY_TIMEOUT - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._over()
