"""Counts what all connections of a swarm receive, and samples latencies."""

from __future__ import annotations

from collections.abc import Callable

from socketio_cluster.loadtest.swarm.said import Said

Sample = Callable[[str | None, Said, float], None]


class Meter:
    """Shared by the connections of one process.

    Args:
        sample: called with the receiver's node, a delivery, and when it was read (epoch seconds).
        every: one in so many chunks of bytes is sampled.
    """

    __slots__ = ("deliveries", "every", "left", "pick", "sample")

    def __init__(self, sample: Sample, every: int = 16) -> None:
        self.deliveries = 0
        self.sample = sample
        self.every = every
        self.left = every
        self.pick = 0

    def take(self, node: str | None, said: tuple[Said, ...], now: float) -> None:
        """Sample one delivery of a chunk, each place in chunks in its turn."""
        self.left = self.every
        self.pick += 1
        self.sample(node, said[self.pick % len(said)], now)
