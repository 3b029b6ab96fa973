"""A stream: the numbered messages one user sends to one target."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

Ranges = list[tuple[int, int]]
"""Ranges of sequence numbers, each from its first to its last."""


class Stream:
    """The log of one sender: when each message left, and when the server said that it was emitted.

    A target is a room, a whole namespace or a sid, as text. Sequence numbers start at 1; times are seconds.
    Messages are sent one after the other: the next one after the answer to the last, or after giving it up.
    """

    def __init__(self, target: str, owner: str, skip: bool = False) -> None:
        self.target = target
        self.owner = owner
        self.skip = skip
        self.sent: list[float] = []
        self.answered: list[float] = []
        self.unconfirmed: set[int] = set()
        self.open = False
        """Whether the sender still waits for the answer to its last message. It says so itself."""

    def send(self, now: float) -> int:
        """Note that a message leaves; give its sequence number."""
        self.sent.append(now)
        self.answered.append(now)
        self.unconfirmed.add(len(self.sent))
        self.open = True
        return len(self.sent)

    def confirm(self, seq: int, now: float) -> None:
        """Note that the server has emitted this message."""
        self.answered[seq - 1] = now
        self.unconfirmed.discard(seq)

    def expected(self, joined: float, leaving: float) -> tuple[int, int]:
        """First and last number of what left after `joined` and was answered before `leaving`, if any."""
        return bisect_left(self.sent, joined) + 1, bisect_right(self.answered, leaving)

    def between(self, start: float, end: float) -> tuple[int, int]:
        """First and last number of what left from `start` up to `end`, if any."""
        return bisect_left(self.sent, start) + 1, bisect_right(self.sent, end)

    def dump(self) -> list[Any]:
        """Plain lists for the wire between workers."""
        return [
            *(self.target, self.owner, self.skip, self.sent, self.answered),
            *(sorted(self.unconfirmed), self.open),
        ]

    @classmethod
    def load(cls, dump: list[Any]) -> Stream:
        """Make a stream of what `dump` gave."""
        stream = cls(*dump[:3])
        stream.sent, stream.answered = list(dump[3]), list(dump[4])
        stream.unconfirmed, stream.open = set(dump[5]), dump[6]
        return stream
