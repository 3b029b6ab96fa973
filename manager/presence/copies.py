"""Copies of what a node knows of rooms, as the answers to questions carry them. Pure book-keeping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

import msgspec

from socketio_cluster.manager.bus.presence_messages import Entry, PresenceCopy
from socketio_cluster.manager.presence.held_room import HeldRoom, RoomId

ENTRIES: Final = 200
"""The most entries, or keys, in one item of an answer."""

_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(PresenceCopy).decode

T = TypeVar("T")


class OwnerCopy(NamedTuple):
    """The clients of one node in a room, as of its version.

    ``patience`` is how many seconds they still count as present if nothing more is heard of the node.
    """

    version: int
    entries: list[Entry]
    patience: float


def copies(room: HeldRoom, owners: Mapping[str, float]) -> Iterator[bytes]:
    """Return packed items with the clients of these nodes, as they are now, and the patience with each node.

    The items are packed one by one, when they are asked for.
    """
    called = list(room.calls.joined)
    owned = {each: _copy(room, each, patience) for each, patience in owners.items()}
    return _packed(room.id, called, owned)


def _copy(room: HeldRoom, owner: str, patience: float) -> OwnerCopy:
    return OwnerCopy(room.book.version(owner), list(room.book.entries(owner).values()), patience)


def _packed(room: RoomId, called: list[str], owned: dict[str, OwnerCopy]) -> Iterator[bytes]:
    for keys in parts(called, ENTRIES):
        yield _pack(PresenceCopy(*room, "", 0, [], keys))
    for owner, copy in owned.items():
        for part in parts(copy.entries, ENTRIES):
            yield _pack(PresenceCopy(*room, owner, copy.version, part, [], copy.patience))


def parts(items: list[T], most: int) -> list[list[T]]:
    """Return items in lists of so many. The last one may be shorter; without items there is an empty list."""
    return [items[start : start + most] for start in range(0, len(items), most)] or [[]]


@dataclass
class Copy:
    """What another node knows of a room: the clients of each node, and the keys called."""

    owners: dict[str, OwnerCopy] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)


def read(items: Iterable[bytes]) -> dict[RoomId, Copy]:
    """Put items together. Raises ``msgspec.MsgspecError`` for what is none."""
    found: dict[RoomId, Copy] = {}
    for item in map(_unpack, items):
        copy = found.setdefault((item.namespace, item.room), Copy())
        copy.called += item.called
        if item.owner:
            owner = copy.owners.setdefault(item.owner, OwnerCopy(item.version, [], item.patience))
            owner.entries.extend(item.entries)
    return found
