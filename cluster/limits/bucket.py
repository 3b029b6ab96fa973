"""A token bucket without a timer: what has come back since is worked out when somebody asks."""

from __future__ import annotations

from typing import Final

BURST_SECONDS: Final = 2.0
SMALLEST_BURST: Final = 10.0
"""Events at once that everybody may send: pages ask for several things when they open."""
PATIENCE: Final = 5.0
"""Seconds held up, those let run subtracted: who never stops sending too much is out after ten."""


class Bucket:
    """Tokens that come back at ``rate`` a second, up to ``burst``; full at first. Times are seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take a token; False when there is none."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def borrow(self, now: float) -> float:
        """Take a token that may not be there yet; returns the seconds until it is."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


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
