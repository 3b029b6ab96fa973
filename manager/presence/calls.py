"""``Calls``: for which keys of a room the handlers have to be called. Pure book-keeping.

The first keeper of a room calls them, and tells the second one, which goes on when the first is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from socketio_cluster.manager.presence.book import Book

LEFT: Final = 10_000
"""The most leaves of a room that are remembered for nodes that are away."""


class Call(Enum):
    """The handler to call."""

    JOIN = "join"
    LEAVE = "leave"


class Calls:
    """The keys for which a join was called and no leave yet, each with its last known meta, packed."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.joined: dict[str, bytes] = {}
        self.left: dict[str, None] = {}
        """The keys for which a leave was called lately, while nodes were away that may know nothing of it."""
        self._untold: dict[str, None] = {}

    def next(self, key: str) -> tuple[Call, bytes] | None:
        """Return the call that is due for a key, with the meta, and note it. None means that none is due."""
        metas, before = self._book.metas(key), self.joined.get(key)
        if metas:
            self.joined[key] = metas[-1]
            if before is not None:
                return None
            self.left.pop(key, None)
            self._untold[key] = None
            return Call.JOIN, metas[-1]
        meta = self._book.last.pop(key, before)
        if before is None or meta is None:
            return None
        self._leave(key)
        self._untold[key] = None
        return Call.LEAVE, meta

    def follow(self, keys: Iterable[str]) -> None:
        """Note the last meta of keys, on a keeper that does not call."""
        for key in keys:
            last = self._book.last.pop(key, None)
            if key in self.joined:
                self.joined[key] = (self._book.metas(key) or [last or self.joined[key]])[-1]

    def told(self, joined: Iterable[str], left: Iterable[str], unknown: bytes, *, first: bool) -> None:
        """Note the calls of another keeper. ``unknown`` is the meta of a key that is not in the book.

        What the first keeper says is right. One that was the first while nodes were away, and hands over now,
        may know nothing of leaves that were called here meanwhile: such a key has to join again.
        """
        for key in joined:
            if first or key not in self.left:
                self.joined[key] = (self._book.metas(key) or [unknown])[-1]
                self.left.pop(key, None)
        for key in left:
            self._leave(key)

    def take_untold(self) -> tuple[list[str], list[str]]:
        """Return the keys of the calls since the last time: those that joined, and those that left."""
        keys, self._untold = self._untold, {}
        return [key for key in keys if key in self.joined], [key for key in keys if key not in self.joined]

    def _leave(self, key: str) -> None:
        self.joined.pop(key, None)
        self.left[key] = None
        if len(self.left) > LEFT:
            del self.left[next(iter(self.left))]
