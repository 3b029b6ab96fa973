"""Copies of what a node knows of rooms, as the answers to questions carry them. Pure book-keeping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from socketio_cluster.manager.bus.presence_messages import Entry, PresenceCopy
from socketio_cluster.manager.presence.held_room import HeldRoom, RoomId

ENTRIES: Final = 200
"""The most entries, or keys, in one item of an answer."""

_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(PresenceCopy).decode

T = TypeVar("T")


def copies(room: HeldRoom, owners: Iterable[str]) -> Iterator[bytes]:
    """Return packed items with the clients of these nodes, as they are now.

    The items are packed one by one, when they are asked for.
    """
    called = list(room.calls.joined)
    owned = [(each, room.book.version(each), list(room.book.entries(each).values())) for each in owners]
    return _packed(room.id, called, owned)


def _packed(room: RoomId, called: list[str], owned: list[tuple[str, int, list[Entry]]]) -> Iterator[bytes]:
    for keys in parts(called, ENTRIES):
        yield _pack(PresenceCopy(*room, "", 0, [], keys))
    for owner, version, entries in owned:
        for part in parts(entries, ENTRIES):
            yield _pack(PresenceCopy(*room, owner, version, part, []))


def parts(items: list[T], most: int) -> list[list[T]]:
    """Return items in lists of so many. The last one may be shorter; without items there is an empty list."""
    return [items[start : start + most] for start in range(0, len(items), most)] or [[]]


@dataclass
class Copy:
    """What another node knows of a room: the clients of each node, as of its version, and the keys called."""

    owners: dict[str, tuple[int, list[Entry]]] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)


def read(items: Iterable[bytes]) -> dict[RoomId, Copy]:
    """Put items together. Raises ``msgspec.MsgspecError`` for what is none."""
    found: dict[RoomId, Copy] = {}
    for item in map(_unpack, items):
        copy = found.setdefault((item.namespace, item.room), Copy())
        copy.called += item.called
        if item.owner:
            copy.owners.setdefault(item.owner, (item.version, []))[1].extend(item.entries)
    return found
