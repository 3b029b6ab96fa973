"""The messages between nodes about who is present in which room.

They are messages as in ``messages.py``, and the same rules hold.
"""

from __future__ import annotations

import msgspec

from socketio_cluster.manager.bus.channels import Room


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One client that is present in a room.

    ``key`` says who it is: several clients of one user have the same. ``meta`` is a packed dict. ``lost`` is
    set while the client's connection is lost and it may still come back.
    """

    sid: str
    key: str
    meta: bytes
    lost: bool = False


class PresenceChange(msgspec.Struct, array_like=True, tag=23, gc=False):
    """Says which clients of a node came to a room, changed or left.

    ``version`` is a number of the sender that only rises. The change is for those who know the sender's
    clients in the room as of the version ``since``; with 0 ``entries`` are all of them. A change without
    entries whose two versions are the same tells only how far the sender is.
    """

    namespace: str
    room: Room
    since: int
    version: int
    entries: list[Entry]
    left: list[str]


class PresenceCalled(msgspec.Struct, array_like=True, tag=24, gc=False):
    """Tells the other keeper of a room for which keys the handlers of a join, or a leave, were called.

    ``passed_on`` is set by one that was not the first keeper, and was told of the calls itself.
    """

    namespace: str
    room: Room
    joined: list[str]
    left: list[str]
    passed_on: bool = False


class PresenceMissed(msgspec.Struct, array_like=True, tag=27, gc=False):
    """Tells a node which others died before it came, and how many seconds ago: they may be back."""

    ages: dict[str, float]


class FindPresence(msgspec.Struct, array_like=True, tag=9, frozen=True):
    """Give copies of what the node knows of the rooms.

    With ``keep`` a keeper first finds out what it does not know yet. Without it a node tells what it has.
    """

    keep: bool


class FindOwnPresence(msgspec.Struct, array_like=True, tag=10, frozen=True):
    """Give copies of the node's own clients in these rooms, and in those that the asker keeps.

    ``channels`` is ``ChannelSet.raw``.
    """

    asker: str
    channels: bytes


class CountPresence(msgspec.Struct, array_like=True, tag=11, frozen=True):
    """Count the keys that are present in the room."""


class ChangePresence(msgspec.Struct, array_like=True, tag=12, frozen=True):
    """Track, update, untrack or watch a client of the node.

    ``verb`` is the name of the method of ``Presence``.
    """

    sid: str
    verb: str
    room: Room | None
    key: str | None
    meta: bytes


class PresenceCopy(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A piece of what a node knows of a room: clients of one node, as of a version of that node.

    The first piece about a room has no owner. It has the keys for which handlers were called. ``patience`` is
    how many seconds the owner's clients still count as present if nothing more is heard of it.
    """

    namespace: str
    room: Room
    owner: str
    version: int
    entries: list[Entry]
    called: list[str]
    patience: float = 0.0


PresenceMessage = PresenceChange | PresenceCalled | PresenceMissed
PresenceListing = FindPresence | FindOwnPresence
PresenceCall = CountPresence | ChangePresence
