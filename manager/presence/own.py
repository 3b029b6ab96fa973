"""``Own``: this node's own clients in one room, and what other nodes have to be told. Pure book-keeping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from socketio_cluster.manager.bus.presence_messages import Entry
from socketio_cluster.manager.presence.book import Book

CHANGE_BYTES: Final = 32 * 1024
"""About so many bytes of keys and metas go into one change, so that no bus refuses it."""


class Change(NamedTuple):
    """A change to be published, with the fields of ``PresenceChange``."""

    since: int
    version: int
    entries: list[Entry]
    left: list[str]


class Own:
    """The clients of this node.

    Args:
        book: the book of the room, which has them too.
        me: this node.
        versions: gives numbers that only rise, also from one room to another.
    """

    def __init__(self, book: Book, me: str, versions: Iterator[int]) -> None:
        self._book = book
        self._me = me
        self._versions = versions
        self._changed: dict[str, None] = {}

    @property
    def entries(self) -> dict[str, Entry]:
        """The clients that are present, by sid."""
        return self._book.entries(self._me)

    @property
    def version(self) -> int:
        """The version that was published last, or 0."""
        return self._book.version(self._me)

    @property
    def changed(self) -> bool:
        """Whether something has to be published."""
        return bool(self._changed)

    def put(self, entry: Entry) -> None:
        """Add a client, or change it."""
        self._book.put(self._me, self.version, [entry], ())
        self._changed[entry.sid] = None

    def lose(self, sid: str, *, lost: bool = True) -> None:
        """Note that a client has lost its connection, or is back."""
        self.put(msgspec.structs.replace(self.entries[sid], lost=lost))

    def superseded(self, keys: Iterable[str]) -> list[str]:
        """Return the lost clients that need not come back, because one with the same key is present."""
        return [
            sid
            for key in keys
            if len(of_key := self._book.keys.get(key, {})) > 1
            and not all(entry.lost for entry in of_key.values())
            for (node, sid), entry in of_key.items()
            if entry.lost and node == self._me
        ]

    def remove(self, sid: str) -> None:
        """Remove a client, if it is present."""
        if sid in self.entries:
            self._book.put(self._me, self.version, (), [sid])
            self._changed[sid] = None

    def take(self) -> list[Change]:
        """Return the changes since the last call, in the order in which they have to be published."""
        # A change with all entries is understood by those too who know nothing of this node, or too little.
        whole = self.version == 0 or all(sid in self._changed for sid in self.entries)
        sids = list(self._changed) if self.version else list(self.entries)
        self._changed.clear()
        changes = [self._change(part) for part in _parts(sids, self.entries)]
        return [changes[0]._replace(since=0), *changes[1:]] if whole and changes else changes

    def _change(self, sids: list[str]) -> Change:
        since, entries = self.version, self.entries
        self._book.owners[self._me].version = version = next(self._versions)
        there = [entries[sid] for sid in sids if sid in entries]
        return Change(since, version, there, [sid for sid in sids if sid not in entries])


def _parts(sids: Iterable[str], entries: dict[str, Entry]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for sid in sids:
        part.append(sid)
        size += len(sid) + (len(entries[sid].key) + len(entries[sid].meta) if sid in entries else 0)
        if size >= CHANGE_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part
