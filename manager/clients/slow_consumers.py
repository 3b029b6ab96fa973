"""The rule that decides which clients are slow consumers. It is the same for all kinds of connections.

This is pure book-keeping; the time is an argument. A client is *behind* while more bytes than a mark wait for
it. That alone is no fault, because one large message, or many at once, put any client behind. The client is a
*slow consumer*, and is disconnected, when its queue has not shrunk for some seconds or has grown by several
marks meanwhile.
"""

from __future__ import annotations

from typing import Final, Protocol

MAX_EXTRA_MARKS: Final = 8
"""The most marks that a queue may grow by while its client is behind: 32 MiB with a mark of 4 MiB."""


class ClientQueue(Protocol):
    """The queue of bytes that wait for one client."""

    @property
    def mark(self) -> int:
        """The client is behind while more bytes than this wait."""

    @property
    def queued(self) -> int:
        """How many bytes the client has not taken yet; 0 if its connection has ended."""

    @property
    def free(self) -> bool:
        """Whether the client would get an event at once: nothing waits until it has read."""

    def cut_off(self) -> str | None:
        """End the connection and drop the waiting bytes.

        Returns the connection's sid, or None if the connection has already ended.
        """


class Behind:
    """A client that is behind.

    ``waiting`` is the number of bytes that waited at the last check. ``since`` is the time at which that
    number shrank last. ``most`` is the most bytes that may wait. ``stuck`` is set after an emit has waited
    for this client in vain: the next emits do not wait.
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
        seconds: a client is a slow consumer if its queue has not shrunk for so long.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.behind: dict[ClientQueue, Behind] = {}

    def add(self, queue: ClientQueue, now: float) -> bool:
        """Note that one more message has come and the queue is above its mark.

        Returns True, and forgets the client, if it is a slow consumer.
        """
        waiting = queue.queued
        behind = self.behind.get(queue)
        if behind is None:
            self.behind[queue] = Behind(waiting, waiting + MAX_EXTRA_MARKS * queue.mark, now)
        elif waiting > behind.most:
            del self.behind[queue]
            return True
        return False

    def check(self, now: float) -> list[ClientQueue]:
        """Forget the clients that have caught up. Forget and return those that are slow consumers."""
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
