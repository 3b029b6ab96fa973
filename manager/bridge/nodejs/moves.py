"""Joins, leaves and disconnects, as Node.js's adapters say them: of clients that options choose."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple

from socketio_cluster.manager.bridge.commands import (
    Close,
    Command,
    Disconnect,
    Enter,
    Expel,
    Join,
    Leave,
    Part,
    Whom,
)
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.bridge.nodejs.words import opts_of, read_rooms, read_whom
from socketio_cluster.manager.bus.channels import Room


class Verb(Enum):
    """What is done to clients."""

    JOIN = auto()
    LEAVE = auto()
    DISCONNECT = auto()


class Move(NamedTuple):
    """What is done to which clients, with which rooms."""

    verb: Verb
    whom: Whom
    rooms: list[Room]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a message that says so."""
        opts = opts_of(self.whom.rooms, self.whom.except_)
        return {"opts": opts} | ({"close": False} if self.verb is Verb.DISCONNECT else {"rooms": self.rooms})


def read_move(verb: Verb, namespace: str, fields: dict[str, Any]) -> Command:
    """Return the command that says the same. Raises ``KeyError``, ``TypeError`` and ``ValueError``."""
    whom = read_whom(namespace, fields["opts"])
    if verb is Verb.DISCONNECT:
        return Expel(whom)
    rooms = read_rooms(fields["rooms"])
    return Join(whom, rooms) if verb is Verb.JOIN else Part(whom, rooms)


def move_of(command: Command) -> Move:
    """Return what a command does to clients. Raises ``BridgeError`` for one that is of another kind."""
    match command:
        case Enter(namespace, sid, room):
            return Move(Verb.JOIN, Whom(namespace, [sid]), [room])
        case Leave(namespace, sid, room):
            return Move(Verb.LEAVE, Whom(namespace, [sid]), [room])
        case Close(namespace, room):
            return Move(Verb.LEAVE, Whom(namespace, [room]), [room])
        case Disconnect(namespace, sid):
            return Move(Verb.DISCONNECT, Whom(namespace, [sid]), [])
        case Join(whom, rooms):
            return Move(Verb.JOIN, whom, rooms)
        case Part(whom, rooms):
            return Move(Verb.LEAVE, whom, rooms)
        case Expel(whom):
            return Move(Verb.DISCONNECT, whom, [])
    raise BridgeError("unknown", f"Node.js has no words for {type(command).__name__}")
