"""The connections of a worker from which nothing was read yet, with one timer for all of them.

Each connection would else make a timer, and nearly each cancel it within milliseconds. All of them may wait
equally long, so they are due in the order in which they came.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from itertools import takewhile
from typing import Protocol

from socketio_cluster.cluster.http import protocol
from socketio_cluster.cluster.http.protocol import HEAD, HttpStats


class Newcomer(Protocol):
    """A connection that waits for its first bytes."""

    def shutdown(self) -> None:
        """Close."""


class Newcomers:
    """Closes connections from which nothing comes within ``HEAD_SECONDS``, and counts them.

    Args:
        stats: the counts of the worker.
    """

    def __init__(self, stats: HttpStats) -> None:
        self.stats = stats
        self._due: dict[Newcomer, float] = {}
        """The time, by the loop's clock, at which each is due; a dict keeps the order."""
        self._timer: asyncio.TimerHandle | None = None

    def come(self, newcomer: Newcomer) -> None:
        """Begin to wait for the first bytes of a connection."""
        loop = asyncio.get_running_loop()
        self._due[newcomer] = loop.time() + protocol.HEAD_SECONDS
        if self._timer is None:
            self._timer = loop.call_later(protocol.HEAD_SECONDS, self._close_late, context=Context())

    def go(self, newcomer: Newcomer) -> float:
        """Stop waiting for a connection, and return the time at which it was due; 0 if it did not wait."""
        return self._due.pop(newcomer, 0.0)

    def _close_late(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        # With thousands of silent clients, this is called so often that it must not look at all of them.
        for newcomer, _ in list(takewhile(lambda waiting: waiting[1] <= now, self._due.items())):
            del self._due[newcomer]
            self.stats.timeouts[HEAD] += 1
            newcomer.shutdown()
        due = next(iter(self._due.values()), None)
        self._timer = None if due is None else loop.call_at(due, self._close_late, context=Context())
