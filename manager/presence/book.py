"""``Book``: who is present in one room, as far as this node knows. Pure book-keeping.

Each node owns the entries of its own clients, and alone changes them. So copies of the book never conflict:
of two states of an owner the one with the higher version counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from socketio_cluster.manager.bus.presence_messages import Entry


@dataclass(slots=True)
class Owner:
    """The clients of one node in the room, by sid, as of ``version``."""

    version: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)


class Book:
    """The entries of one room."""

    def __init__(self) -> None:
        self.owners: dict[str, Owner] = {}
        self.keys: dict[str, dict[tuple[str, str], Entry]] = {}
        """The entries of each key that is present, by node and sid."""
        self.changed: dict[str, None] = {}
        """The keys whose entries have changed since somebody has emptied this, in order."""
        self.last: dict[str, bytes] = {}
        """The last meta of each key that is not present any more, until somebody has taken it."""

    def change(self, node: str, since: int, version: int, entries: list[Entry], left: list[str]) -> bool:
        """Carry out a change by a node. Returns False, and does nothing, if an earlier one is missing."""
        have = self.version(node)
        if version <= have:
            return True
        if since == 0:
            self.replace(node, version, entries)
        elif since == have:
            self.put(node, version, entries, left)
        return since in (0, have)

    def replace(self, node: str, version: int, entries: Iterable[Entry]) -> None:
        """Take all entries of a node, unless a state that is as new is here."""
        if node in self.owners and version <= self.version(node):
            return
        new = {entry.sid: entry for entry in entries}
        gone = [sid for sid in self.entries(node) if sid not in new]
        self.put(node, version, new.values(), gone)

    def put(self, node: str, version: int, entries: Iterable[Entry], left: Iterable[str]) -> None:
        """Take and remove entries of a node, which is at this version then."""
        owner = self.owners.setdefault(node, Owner())
        owner.version = version
        for sid in left:
            self._remove(node, owner.entries.pop(sid, None))
        for entry in entries:
            self._remove(node, owner.entries.get(entry.sid))
            owner.entries[entry.sid] = entry
            self.keys.setdefault(entry.key, {})[node, entry.sid] = entry
            self.last.pop(entry.key, None)
            self.changed[entry.key] = None

    def drop(self, node: str) -> None:
        """Forget a node that is gone, and its clients with it."""
        owner = self.owners.pop(node, Owner())
        for entry in owner.entries.values():
            self._remove(node, entry)

    def lose(self, node: str) -> None:
        """Mark the clients of a node as lost, because the node is gone and they may come to another one.

        If the node is back, its version is not known any more: what it said meanwhile was missed.
        """
        lost = [msgspec.structs.replace(entry, lost=True) for entry in self.entries(node).values()]
        self.put(node, 0, lost, ())

    def version(self, node: str) -> int:
        """Return how far this node knows another one, or 0."""
        owner = self.owners.get(node)
        return owner.version if owner is not None else 0

    def entries(self, node: str) -> dict[str, Entry]:
        """Return the clients of a node, by sid."""
        owner = self.owners.get(node)
        return owner.entries if owner is not None else {}

    def find(self, sid: str) -> Entry | None:
        """Return the entry of a client, whichever node has it."""
        return next((owner.entries[sid] for owner in self.owners.values() if sid in owner.entries), None)

    def metas(self, key: str) -> list[bytes]:
        """Return the metas of a key, one for each client that is connected.

        When all its clients are lost, they are those of the lost ones: the key is still present.
        """
        entries = self.keys.get(key, {}).values()
        return [entry.meta for entry in entries if not entry.lost] or [entry.meta for entry in entries]

    def _remove(self, node: str, entry: Entry | None) -> None:
        if entry is None:
            return
        of_key = self.keys[entry.key]
        del of_key[node, entry.sid]
        if not of_key:
            del self.keys[entry.key]
            self.last[entry.key] = entry.meta
        self.changed[entry.key] = None
