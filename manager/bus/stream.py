"""``Stream``: how far one sender was heard. See ``streams.py``."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final

from socketio_cluster.manager.bus.messages import Message
from socketio_cluster.manager.errors import EnvelopeError

RATE: Final = 1_000_000
"""Envelopes a second, more than any node publishes. A number that needs more than this is forged."""
PERIOD: Final = 30.0
"""Seconds. In each period there are some beats, at least one of which is as quick as can be."""
UNKNOWN: Final = -1
"""Stands for the last number if nothing of a stream was heard yet."""


@dataclass(slots=True)
class Held:
    """A live message that waits until the missed envelopes in front of it have come."""

    number: int
    message: Message
    size: int


@dataclass(slots=True)
class Stream:
    """How far a sender was heard.

    * ``seen`` is its last number, or ``UNKNOWN``.
    * ``heard`` is the time at which it was last heard.
    * ``clock`` is the difference between this node's clock and the sender's clock.
    * ``said`` is the time at which it sent its last notice, by its own clock.
    * ``left`` tells that it has said goodbye.
    * ``behind`` tells that some of its envelopes may have been missed.
    * ``full`` tells that some live messages were not held, because there was no place.
    * ``held`` are the live messages that wait.
    * ``nearest`` is the least difference between the times at which an envelope came and was sent, by the two
      clocks, in a period that ends at ``period_ends``; ``nearest_before`` is that of the period before.
    * ``top`` is the highest number that it has named, and ``top_at`` is the time of that.
    """

    seen: int
    heard: float
    clock: float
    said: float = 0.0
    left: bool = False
    behind: bool = False
    full: bool = False
    held: deque[Held] = field(default_factory=deque)
    top: int = UNKNOWN
    top_at: float = 0.0
    nearest: float = inf
    nearest_before: float = inf
    period_ends: float = 0.0

    def late(self, sent: float, now: float) -> float:
        """Return by how many seconds an envelope is later than the quickest one of this period and the last.

        Older ones do not count, as clocks drift. LEDBAT measures so too (RFC 6817, base delay).
        """
        if not isfinite(sent):
            return 0.0  # It is forged.
        if now >= self.period_ends:
            self.nearest_before, self.nearest, self.period_ends = self.nearest, inf, now + PERIOD
        away = now - sent
        self.nearest = min(self.nearest, away)
        return away - min(self.nearest, self.nearest_before)

    def climb(self, number: int, now: float) -> None:
        """Note the highest number. Raises ``EnvelopeError`` for one that the sender cannot have reached.

        Such a number is forged, and would make all later envelopes repeats.
        """
        if number <= self.top:
            return
        if self.top != UNKNOWN and number - self.top > RATE * (1 + now - self.top_at):
            raise EnvelopeError("number", f"{number}, when the last was {self.top}")
        self.top, self.top_at = number, now
