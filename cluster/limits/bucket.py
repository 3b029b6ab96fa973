"""Limits a rate by a token bucket, without a timer: tokens that came back are added when one is taken."""

from __future__ import annotations

from typing import Final

BURST_SECONDS: Final = 2.0
SMALLEST_BURST: Final = 10.0
"""Events that every client may send at once, at least: pages ask for several things when they open."""
PATIENCE: Final = 5.0
"""Seconds that a client may be held up; half of the time in which it is not held up is subtracted.

So a client that always sends too much is disconnected after ten seconds.
"""


class Bucket:
    """A bucket that holds up to ``burst`` tokens and gets ``rate`` new ones in a second.

    It is full at first. Times are in seconds.
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take a token; return False when there is none."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def borrow(self, now: float) -> float:
        """Take a token that may not be there yet; return the seconds until it is."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


class Pace:
    """Counts the events of one client that may send ``rate`` events in a second. Times are in seconds."""

    __slots__ = ("_at", "_bucket", "_held")

    def __init__(self, rate: float, now: float) -> None:
        self._bucket = Bucket(rate, max(SMALLEST_BURST, BURST_SECONDS * rate), now)
        self._held = 0.0
        self._at = now

    def event(self, now: float) -> float:
        """Take an event; return the seconds that it has to wait, 0 for none."""
        return self._bucket.borrow(now)

    def held(self, seconds: float, now: float) -> bool:
        """Note that an event has waited until ``now``; return True when the client is to be disconnected."""
        self._held = max(0.0, self._held - (now - self._at) / 2) + seconds
        self._at = now
        return self._held > PATIENCE
