"""What waits for one plain client, and what becomes of it when the client does not keep up.

Pure book-keeping, in bytes between two marks. Above the high one a client is behind, and may turn out to be
a slow consumer; or with ``skip`` it misses events until no more than the low one waits.
"""

from __future__ import annotations

from collections import deque

Data = str | bytes


class Outbound:
    """The queue of one client.

    Args:
        high: bytes above which a client is behind.
        low: bytes at which a client that was slow has caught up.
        skip: leave events out of a full queue, instead of saying that it is full.
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
        """Events left out since the client became slow."""

    def put(self, data: Data) -> bool:
        """Add what must not be left out, such as an answer; False when the client is behind."""
        self._queue.append(data)
        self.waiting += len(data)
        if self.waiting > self._high:
            self.slow = True
            return self._skip
        return True

    def put_event(self, data: Data) -> bool:
        """Add an event, or with ``skip`` leave it out while the client is slow; False as for ``put``."""
        if self.slow and self._skip:
            self.missed += 1
            return True
        return self.put(data)

    def take(self) -> Data | None:
        """Give what is to be sent next; None when nothing waits."""
        if not self._queue:
            return None
        data = self._queue.popleft()
        self.waiting -= len(data)
        return data

    def caught_up(self) -> int | None:
        """Once after a client was slow and is not any more: how many events it missed; else None."""
        if not self.slow or self.waiting > self._low:
            return None
        self.slow, missed, self.missed = False, self.missed, 0
        return missed

    def clear(self) -> None:
        """Throw away what waits."""
        self._queue.clear()
        self.waiting = 0
