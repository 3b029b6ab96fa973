"""``Calls``: for which keys of a room the handlers have to be called. Pure book-keeping.

The first keeper of a room calls them, and tells the second one, which goes on when the first is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from socketio_cluster.manager.presence.book import Book


class Call(Enum):
    """The handler to call."""

    JOIN = "join"
    LEAVE = "leave"


class Calls:
    """The keys for which a join was called and no leave yet, each with its last known meta, packed."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.joined: dict[str, bytes] = {}
        self.cut: set[str] = set()
        """The keys that were taken for gone together with a node, and have not joined again.

        If the node was only cut off, its keepers on the other side of the split know nothing of these leaves.
        """
        self._untold: dict[str, None] = {}

    def next(self, key: str) -> tuple[Call, bytes] | None:
        """Return the call that is due for a key, with the meta, and note it. None means that none is due."""
        metas, before = self._book.metas(key), self.joined.get(key)
        if metas:
            self.joined[key] = metas[-1]
            if before is not None:
                return None
            self.cut.discard(key)
            self._untold[key] = None
            return Call.JOIN, metas[-1]
        if before is None:
            return None
        del self.joined[key]
        self._untold[key] = None
        return Call.LEAVE, before

    def follow(self, keys: Iterable[str]) -> None:
        """Note the last meta of keys, on a keeper that does not call."""
        for key in keys:
            metas = self._book.metas(key)
            if metas and key in self.joined:
                self.joined[key] = metas[-1]

    def told(self, joined: Iterable[str], left: Iterable[str], unknown: bytes) -> None:
        """Note the calls of another keeper. ``unknown`` is the meta of a key that is not in the book.

        A join does not count for a key whose leave was called here since, when its node was cut off.
        """
        for key in joined:
            if key not in self.cut:
                self.joined[key] = (self._book.metas(key) or [unknown])[-1]
        for key in left:
            self.joined.pop(key, None)

    def take_untold(self) -> tuple[list[str], list[str]]:
        """Return the keys of the calls since the last time: those that joined, and those that left."""
        keys, self._untold = self._untold, {}
        return [key for key in keys if key in self.joined], [key for key in keys if key not in self.joined]
