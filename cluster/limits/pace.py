"""The events of one client: how long the next one has to wait, and when it is enough."""

from __future__ import annotations

from typing import Final

from socketio_cluster.cluster.limits.bucket import Bucket

BURST_SECONDS: Final = 2.0
SMALLEST_BURST: Final = 10.0
"""Events at once that everybody may send: pages ask for several things when they open."""
PATIENCE: Final = 5.0
"""Seconds held up, those let run subtracted: who never stops sending too much is out after ten."""


class Pace:
    """The bookkeeping for one client that may send ``rate`` events a second. Times are seconds."""

    __slots__ = ("_at", "_bucket", "_held")

    def __init__(self, rate: float, now: float) -> None:
        self._bucket = Bucket(rate, max(SMALLEST_BURST, BURST_SECONDS * rate), now)
        self._held = 0.0
        self._at = now

    def event(self, now: float) -> float:
        """Take an event; returns for how long it has to wait, 0 when it need not."""
        return self._bucket.borrow(now)

    def held(self, seconds: float, now: float) -> bool:
        """Note that an event has waited until ``now``; True when this client keeps on all the time."""
        self._held = max(0.0, self._held - (now - self._at) / 2) + seconds
        self._at = now
        return self._held > PATIENCE
