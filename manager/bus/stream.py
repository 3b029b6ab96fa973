"""``Stream``: how far one sender was heard. See ``streams.py``."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Final

from socketio_cluster.manager.bus.messages import Message
from socketio_cluster.manager.errors import EnvelopeError

RATE: Final = 1_000_000
"""Envelopes a second, more than any node publishes. A number that needs more than this is forged."""
DRIFT: Final = 500e-6
"""Seconds by which two clocks come apart in a second, at most: MAXFREQ in RFC 5905."""
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
      clocks, and ``nearest_at`` is the time of that.
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
    nearest_at: float = 0.0

    def late(self, sent: float, now: float) -> float:
        """Return by how many seconds an envelope is later than the quickest one. See LEDBAT, RFC 6817."""
        away = now - sent
        self.nearest = min(away, self.nearest + DRIFT * (now - self.nearest_at))
        self.nearest_at = now
        return away - self.nearest

    def climb(self, number: int, now: float) -> None:
        """Note the highest number. Raises ``EnvelopeError`` for one that the sender cannot have reached.

        Such a number is forged, and would make all later envelopes repeats.
        """
        if number <= self.top:
            return
        if self.top != UNKNOWN and number - self.top > RATE * (1 + now - self.top_at):
            raise EnvelopeError("number", f"{number}, when the last was {self.top}")
        self.top, self.top_at = number, now
