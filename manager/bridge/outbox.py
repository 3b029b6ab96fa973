"""``Outbox``: messages that wait for the foreign bus, up to a size and an age. Times are in seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from socketio_cluster.manager.bridge.dialect import Post


class Entry(NamedTuple):
    """Messages that belong together. ``ended`` is told whether the bus has them, once that is known."""

    posts: Sequence[Post]
    at: float
    ended: Callable[[bool], None]

    @property
    def size(self) -> int:
        """The number of bytes."""
        return sum(len(post.payload) for post in self.posts)


class Outbox:
    """A queue that drops its oldest entries when it is full, and counts them.

    What was sent and is not confirmed when the connection ends is not sent again: foreign nodes do not know
    repeats, so their clients would get it twice. It counts as lost, although it may have arrived.

    Args:
        most_bytes: the most bytes that wait.
        most_seconds: how long an entry waits.
    """

    def __init__(self, most_bytes: int, most_seconds: float) -> None:
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._waiting: deque[Entry] = deque()
        self._bytes = 0
        self._urgent: Sequence[Post] = ()
        self.lost = 0
        """Entries that the foreign bus did not get, or perhaps did not."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, entry: Entry) -> None:
        """Put an entry at the end."""
        self._waiting.append(entry)
        self._bytes += entry.size
        while self._bytes > self._most_bytes:
            self._drop_oldest()

    def urge(self, posts: Sequence[Post]) -> None:
        """Send these before all else. They replace those that were urgent before."""
        self._urgent = posts

    def urgent(self) -> Sequence[Post]:
        """Take what is urgent."""
        posts, self._urgent = self._urgent, ()
        return posts

    def take(self, most: int) -> list[Entry]:
        """Take the oldest entries, at most so many. Each has to be given to ``sent`` or ``failed``."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._bytes -= sum(entry.size for entry in taken)
        return taken

    def sent(self, entries: Sequence[Entry]) -> None:
        """Note that the foreign bus has these."""
        for entry in entries:
            entry.ended(True)

    def failed(self, entries: Sequence[Entry]) -> None:
        """Note that the foreign bus has not taken these, or not confirmed them."""
        for entry in entries:
            self.lost += 1
            entry.ended(False)

    def expire(self, now: float) -> None:
        """Drop what is too old."""
        while self._waiting and now - self._waiting[0].at > self._most_seconds:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.failed(self.take(1))
