"""``Calls``: for which keys of a room the handlers have to be called. Pure book-keeping.

The first keeper of a room calls them, and tells the second one, which goes on when the first is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from socketio_cluster.manager.presence.book import Book

NO_META: Final = b"{}"
"""The meta of a key that is not in the book."""
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
        self._unsure: set[str] = set()
        """The keys for which two keepers have called different things: nobody knows which one as the last."""
        self._untold: dict[str, None] = {}
        self._called = False
        """Whether this node has called something itself."""

    def next(self, key: str) -> tuple[Call, bytes] | None:
        """Return the call that is due for a key, with the meta, and note it. None means that none is due."""
        metas, before, unsure = self._book.metas(key), self.joined.get(key), key in self._unsure
        self._unsure.discard(key)
        if metas:
            self.joined[key] = metas[-1]
            if before is not None and not unsure:
                return None
            self.left.pop(key, None)
            self._note(key)
            return Call.JOIN, metas[-1]
        meta = self._book.last.pop(key, before)
        if before is None and not unsure:
            return None
        self._leave(key)
        self._note(key)
        return Call.LEAVE, meta or NO_META

    def follow(self, keys: Iterable[str]) -> None:
        """Note the last meta of keys, on a keeper that does not call."""
        for key in keys:
            last = self._book.last.pop(key, None)
            if key in self.joined:
                self.joined[key] = (self._book.metas(key) or [last or self.joined[key]])[-1]

    def told(self, joined: Iterable[str], left: Iterable[str], *, sure: bool) -> None:
        """Note the calls of another keeper. Unless it is ``sure``, it may have missed leaves known here."""
        for key in joined:
            if sure or key not in self.left:
                self._join(key)
        for key in left:
            self._leave(key)
        if sure:
            self._unsure.difference_update(joined, left)

    def rival(self, joined: Iterable[str], left: Iterable[str]) -> None:
        """Note the calls of one that was the first keeper too, as it and this node did not hear each other.

        Who has joined for one and left for the other joins again, or leaves again.
        """
        if not self._called:
            return self.told(joined, left, sure=False)
        for key in joined:
            if key in self.left:
                self._unsure.add(key)
            elif key not in self.joined:
                self._join(key)
                self._untold[key] = None
        for key in left:
            if key in self.joined:
                self._unsure.add(key)
            elif key not in self.left:
                self._leave(key)
                self._untold[key] = None

    def take_untold(self) -> tuple[list[str], list[str]]:
        """Return the keys of the calls since the last time: those that joined, and those that left."""
        keys, self._untold = self._untold, {}
        return [key for key in keys if key in self.joined], [key for key in keys if key not in self.joined]

    def _note(self, key: str) -> None:
        self._called = True
        self._untold[key] = None

    def _join(self, key: str) -> None:
        self.joined[key] = (self._book.metas(key) or [NO_META])[-1]
        self.left.pop(key, None)

    def _leave(self, key: str) -> None:
        self.joined.pop(key, None)
        self.left[key] = None
        if len(self.left) > LEFT:
            del self.left[next(iter(self.left))]
