"""Latencies in buckets one percent wide, which add up across seconds and workers."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log

WIDTH = log(1.01)
SHORTEST = 1e-5
"""Seconds: what is below, or negative because two clocks differ, counts as this."""


class Latency:
    """A histogram of seconds; percentiles are exact to one percent."""

    __slots__ = ("buckets", "count", "longest")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """Take one sample."""
        bucket = round(log(seconds / SHORTEST) / WIDTH) if seconds > SHORTEST else 0
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.count += 1
        if seconds > self.longest:
            self.longest = seconds

    def merge(self, buckets: Mapping[int, int], longest: float) -> None:
        """Take in the buckets of another histogram."""
        for bucket, count in buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
            self.count += count
        self.longest = max(self.longest, longest)

    def percentile(self, share: float) -> float | None:
        """Seconds within which this share (0 to 1) of the samples lies; None without samples."""
        wanted = max(1, ceil(self.count * share))
        for bucket in sorted(self.buckets):
            wanted -= self.buckets[bucket]
            if wanted <= 0:
                return min(SHORTEST * float(1.01**bucket), self.longest) or SHORTEST
        return None

    def summary(self) -> dict[str, float | int | None]:
        """p50, p90, p99 and max in milliseconds (None without samples), and the count."""
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
        values = {name: _milliseconds(self.percentile(share)) for name, share in shares.items()}
        longest = _milliseconds(self.longest) if self.count else None
        return {**values, "max": longest, "count": self.count}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
