"""Who does not keep up with what is sent to it: the one rule for every queue out to a client.

Pure book-keeping, with the time as an argument. A client is *behind* while more than a mark waits for it.
That alone is no fault: one large message, or many at once, puts anybody behind. It is a *slow consumer*, to
be cut off, when what waits has not shrunk for some seconds, or has grown by several marks meanwhile.
"""

from __future__ import annotations

from typing import Final, Protocol

MAX_EXTRA_MARKS: Final = 8
"""Marks that may come on top of what put a client behind: with 4 MiB at most 32 MiB for a client."""


class ClientQueue(Protocol):
    """The queue out to one client."""

    @property
    def mark(self) -> int:
        """Bytes above which this client is behind."""

    @property
    def queued(self) -> int:
        """Bytes that the client has not taken yet; 0 when its connection has ended."""

    def cut_off(self) -> str | None:
        """End the connection, without what waits; returns its sid, None when it has ended by itself."""


class Behind:
    """A client that is behind.

    ``waiting`` is what waited when it was last looked at, ``since`` is when that had shrunk for the last
    time, and ``most`` is what may wait. ``stuck``: an emit waited for it in vain, so the next ones do not.
    """

    __slots__ = ("most", "since", "stuck", "waiting")

    def __init__(self, waiting: int, most: int, now: float) -> None:
        self.waiting = waiting
        self.most = most
        self.since = now
        self.stuck = False


class SlowConsumers:
    """The clients of one node that are behind.

    Args:
        seconds: how long what waits may stay the same.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.behind: dict[ClientQueue, Behind] = {}

    def add(self, queue: ClientQueue, now: float) -> bool:
        """Note that more than its mark waits for a client, after one more message; True when it is slow."""
        waiting = queue.queued
        behind = self.behind.get(queue)
        if behind is None:
            self.behind[queue] = Behind(waiting, waiting + MAX_EXTRA_MARKS * queue.mark, now)
        elif waiting > behind.most:
            del self.behind[queue]
            return True
        return False

    def look(self, now: float) -> list[ClientQueue]:
        """Forget those who have caught up; returns those who are slow, and forgets them too."""
        slow = []
        for queue, behind in list(self.behind.items()):
            waiting = queue.queued
            if waiting <= queue.mark:
                del self.behind[queue]
            elif waiting < behind.waiting:
                behind.since, behind.stuck = now, False
            elif now - behind.since >= self._seconds:
                del self.behind[queue]
                slow.append(queue)
            behind.waiting = waiting
        return slow
