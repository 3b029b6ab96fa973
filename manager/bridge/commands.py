"""What crosses a bridge, in either direction: one class for each thing that a node may tell other nodes.

A command is the same whichever way it goes. Where it came from, and how it is written there, only a
``Dialect`` knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.queries.socket_info import SocketInfo


@dataclass(frozen=True, slots=True)
class Event:
    """An event for clients.

    ``args`` has the name of the event first. ``rooms`` is None for everybody in the namespace, and a sid
    counts as a room. Clients in ``skip``, which has sids, and in the rooms ``except_`` do not get it.
    ``reply_to`` is where the clients' answers go, as the side that it comes from writes it, or None. The
    other side gives it back in each ``Answer``. Of a ``volatile`` event clients that cannot take it at once
    get nothing.
    """

    namespace: str
    args: list[Any]
    rooms: list[Room] | None = None
    skip: tuple[str, ...] = ()
    except_: tuple[Room, ...] = ()
    reply_to: Any = None
    volatile: bool = False


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
class Whom:
    """Clients of a namespace: those in any of the rooms (None: all), but for those in ``except_``."""

    namespace: str
    rooms: list[Room] | None
    except_: tuple[Room, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """Puts clients into rooms."""

    whom: Whom
    into: list[Room]


@dataclass(frozen=True, slots=True)
class Part:
    """Takes clients out of rooms."""

    whom: Whom
    out_of: list[Room]


@dataclass(frozen=True, slots=True)
class Expel:
    """Disconnects clients from their namespace."""

    whom: Whom


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks which clients there are, or with ``count`` how many. ``reply_to`` is as in ``Event``."""

    whom: Whom
    reply_to: Any
    count: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to an ``Ask``: the clients, or their number."""

    reply_to: Any
    clients: Sequence[SocketInfo] | int


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event for servers, with its name first. ``reply_to`` is where the handlers' results go, or None."""

    namespace: str
    args: list[Any]
    reply_to: Any = None


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What the handlers of a ``ServerEvent`` have returned, one result for each server."""

    reply_to: Any
    results: list[Any]


@dataclass(frozen=True, slots=True)
class Sign:
    """What a bridge says of itself to other bridges on the same foreign bus, several times in ``dead_after``.

    ``node`` is its id in our cluster. ``since`` is when it started, in epoch seconds. ``able`` tells whether
    it reaches our bus; a bridge that stops says False.
    """

    node: str
    since: float
    able: bool


Selective = Join | Part | Expel
"""Commands for clients that are chosen by their rooms."""
Question = Ask | ServerEvent
"""Commands that may want one answer of each server, also of one without clients."""
Command = (
    Event | Answer | Enter | Leave | Close | Disconnect | Selective | Question | Told | ServerAnswer | Sign
)


def answer_of_nobody(command: Command) -> Command | None:
    """Return what a server without clients and handlers answers, or None if no answer is wanted."""
    match command:
        case Ask():
            return Told(command.reply_to, 0 if command.count else [])
        case ServerEvent() if command.reply_to is not None:
            return ServerAnswer(command.reply_to, [])
    return None
