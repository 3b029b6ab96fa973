"""Limits the number of connections, and of new connections in a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from socketio_cluster.cluster.limits.bucket import Bucket
from socketio_cluster.manager.stats import Stats

FULL, RATE = "full", "rate"


class AdmissionRule:
    """Decides about new connections of a worker. Times are in seconds.

    Args:
        most: connections at the same time; None for any number.
        rate: new connections in a second, which may all come at once; None for any number.
        now: the time.
    """

    def __init__(self, most: int | None, rate: float | None, now: float) -> None:
        self._most = most
        self._bucket = None if rate is None else Bucket(rate, max(1.0, rate), now)

    def refusal(self, connections: int, now: float) -> str | None:
        """Return why another connection is refused, ``full`` or ``rate``; None lets it in.

        Args:
            connections: the number of connections now.
            now: the time.
        """
        if self._most is not None and connections >= self._most:
            return FULL
        if self._bucket is not None and not self._bucket.take(now):
            return RATE
        return None


class Admission:
    """Applies the rule to all servers of a worker; ``connections`` returns the sum of their connections."""

    def __init__(self, door: AdmissionRule, connections: Callable[[], int]) -> None:
        self._rule = door
        self._connections = connections

    def refusal(self, stats: Stats) -> str | None:
        """Return why a new session is refused, ``full`` or ``rate``, and count it; None lets it in."""
        reason = self._rule.refusal(self._connections(), time.monotonic())
        if reason is not None:
            stats.turned_away[reason] += 1
        return reason
