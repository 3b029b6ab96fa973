"""The messages that wait for one plain client, and the policy when the client does not keep up.

This is pure book-keeping of bytes, with two marks. Above the high mark a client is behind, and the
slow-consumer policy decides about it. With ``skip`` it misses events instead, until no more than the low mark
waits.
"""

from __future__ import annotations

from collections import deque

Data = str | bytes


class Outbound:
    """The queue of one client.

    Args:
        high: bytes above which a client is behind.
        low: bytes at which a client that was slow has caught up.
        skip: whether events are left out of a full queue; otherwise ``put`` returns False.
    """

    __slots__ = ("_high", "_low", "_queue", "_skip", "missed", "slow", "waiting")

    def __init__(self, high: int, low: int, skip: bool) -> None:
        self._high = high
        self._low = low
        self._skip = skip
        self._queue: deque[Data] = deque()
        self.waiting = 0
        self.slow = False
        self.missed = 0
        """Events that were left out since the client became slow."""

    def put(self, data: Data) -> bool:
        """Add a message that must not be left out, such as an answer.

        Return False when the client is behind.
        """
        self._queue.append(data)
        self.waiting += len(data)
        if self.waiting > self._high:
            self.slow = True
            return self._skip
        return True

    def put_event(self, data: Data) -> bool:
        """Add an event, or with ``skip`` leave it out while the client is slow; return as ``put`` does."""
        if self.slow and self._skip:
            self.missed += 1
            return True
        return self.put(data)

    def take(self) -> Data | None:
        """Remove and return the next message; None when nothing waits."""
        if not self._queue:
            return None
        data = self._queue.popleft()
        self.waiting -= len(data)
        return data

    def caught_up(self) -> int | None:
        """Return the number of missed events, once when a client that was slow has caught up; else None."""
        if not self.slow or self.waiting > self._low:
            return None
        self.slow, missed, self.missed = False, self.missed, 0
        return missed

    def clear(self) -> None:
        """Throw away all messages that wait."""
        self._queue.clear()
        self.waiting = 0
