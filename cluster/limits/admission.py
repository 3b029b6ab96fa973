"""Who is let in: at most so many connections, and so many new ones a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from socketio_cluster.cluster.limits.bucket import Bucket
from socketio_cluster.cluster.strict.answer import Answer
from socketio_cluster.manager.stats import Stats

FULL, RATE = "full", "rate"
RETRY_SECONDS: Final = {FULL: 10, RATE: 1}
_TEXTS: Final = {
    FULL: b"this node has as many connections as it may have",
    RATE: b"this node takes no more new connections in this second",
}


class Door:
    """Decides about new connections of a worker. Times are seconds.

    Args:
        most: connections at the same time; None for any number.
        rate: new ones in a second, as many at once; None for any number.
        now: the time.
    """

    def __init__(self, most: int | None, rate: float | None, now: float) -> None:
        self._most = most
        self._bucket = None if rate is None else Bucket(rate, max(1.0, rate), now)

    def refusal(self, connections: int, now: float) -> str | None:
        """Why another connection is not let in: ``full`` or ``rate``; None lets it in.

        Args:
            connections: how many there are.
            now: the time.
        """
        if self._most is not None and connections >= self._most:
            return FULL
        if self._bucket is not None and not self._bucket.take(now):
            return RATE
        return None


class Admission:
    """Asks the door for the gates of a worker's servers; ``connections`` counts those of all of them."""

    def __init__(self, door: Door, connections: Callable[[], int]) -> None:
        self._door = door
        self._connections = connections

    def turn_away(self, stats: Stats) -> Answer | None:
        """What a new session gets instead, counted in ``stats``; None lets it in."""
        reason = self._door.refusal(self._connections(), time.monotonic())
        if reason is None:
            return None
        stats.turned_away[reason] += 1
        return _answer(reason)


def _answer(reason: str) -> Answer:
    """503, with the seconds after which to try again."""
    headers = (("Retry-After", str(RETRY_SECONDS[reason])), ("Content-Type", "text/plain"))
    return Answer("503 SERVICE UNAVAILABLE", headers, _TEXTS[reason])
