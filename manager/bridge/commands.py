"""What crosses a bridge, in either direction: one class for each thing that a node may tell other nodes.

A command is the same whichever way it goes. Where it came from, and how it is written there, only a
``Dialect`` knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from socketio_cluster.manager.bus.channels import Room


@dataclass(frozen=True, slots=True)
class Event:
    """An event for clients.

    ``args`` has the name of the event first. ``rooms`` is None for everybody in the namespace, and a sid
    counts as a room. Clients in ``skip``, which has sids, and in the rooms ``except_`` do not get it.
    ``reply_to`` is where the clients' answers go, as the side that it comes from writes it, or None. The
    other side gives it back in each ``Answer``.
    """

    namespace: str
    args: list[Any]
    rooms: list[Room] | None = None
    skip: tuple[str, ...] = ()
    except_: tuple[Room, ...] = ()
    reply_to: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A client's answer to an event. ``reply_to`` is that of the event."""

    reply_to: Any
    args: list[Any]


@dataclass(frozen=True, slots=True)
class Enter:
    """Puts a client into a room."""

    namespace: str
    sid: str
    room: Room


@dataclass(frozen=True, slots=True)
class Leave:
    """Takes a client out of a room."""

    namespace: str
    sid: str
    room: Room


@dataclass(frozen=True, slots=True)
class Close:
    """Takes all clients out of a room."""

    namespace: str
    room: Room


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Disconnects a client from a namespace."""

    namespace: str
    sid: str


@dataclass(frozen=True, slots=True)
class Sign:
    """What a bridge says of itself to other bridges on the same foreign bus, several times in ``dead_after``.

    ``node`` is its id in our cluster. ``since`` is when it started, in epoch seconds. ``able`` tells whether
    it reaches our bus; a bridge that stops says False.
    """

    node: str
    since: float
    able: bool


Command = Event | Answer | Enter | Leave | Close | Disconnect | Sign
