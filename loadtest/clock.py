"""One clock for generators on several machines: the server's, whose time they ask for."""

from __future__ import annotations

SAMPLES = 8
"""Answers asked of each node: the quickest of a few is good, more would be load."""


class Clock:
    """Offsets of the nodes' clocks from this process's clock, each from its quickest answer.

    The clock of the node whose name sorts first stands for the cluster: all generators choose the same.
    """

    def __init__(self) -> None:
        self._best: dict[str, tuple[float, float]] = {}
        self._asked: dict[str, int] = {}

    def wants(self, node: str) -> bool:
        """Whether another answer of this node would help."""
        return self._asked.get(node, 0) < SAMPLES

    def add(self, node: str, sent: float, server: float, received: float) -> None:
        """Take one answer: the server's time, and the local times of asking and of hearing it."""
        self._asked[node] = self._asked.get(node, 0) + 1
        sample = (received - sent, server - (sent + received) / 2)
        self._best[node] = min(sample, self._best.get(node, sample))

    @property
    def offset(self) -> float:
        """Seconds to add to the local time to get the cluster's; 0 before any answer."""
        return self._best[min(self._best)][1] if self._best else 0.0

    @property
    def error(self) -> float:
        """Seconds by which the offset may be wrong: half the quickest round trip."""
        return self._best[min(self._best)][0] / 2 if self._best else 0.0

    @property
    def spread(self) -> float:
        """Seconds between the nodes' clocks, beyond what the round trips explain."""
        if not self._best:
            return 0.0
        lowest = max(offset - trip / 2 for trip, offset in self._best.values())
        highest = min(offset + trip / 2 for trip, offset in self._best.values())
        return max(0.0, lowest - highest)


def to_next_second(now: float) -> float:
    """Seconds to the middle of the next second, where half a second too early or too late does no harm."""
    return 1.5 - now % 1
