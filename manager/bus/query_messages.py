"""The questions that a node asks others about their clients, and the answers.

They are messages as in ``messages.py``, and the same rules hold.
"""

from __future__ import annotations

from typing import Any

import msgspec

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.presence_messages import PresenceCall, PresenceListing


class Condition(msgspec.Struct, array_like=True, frozen=True):
    """What the session of a client must be like: a field of it is compared with a value.

    ``field`` has a dot between the keys of nested dicts. ``relation`` is a key of ``conditions.RELATIONS``.
    """

    field: str
    relation: str
    value: Any


class Recipients(msgspec.Struct, array_like=True, frozen=True):
    """Clients of a namespace: those in any of the rooms (None: all), but for those in ``except_``.

    A sid is a room of one here. With conditions in ``where`` only those whose session fulfils all of them.
    """

    namespace: str
    rooms: list[Room] | None
    except_: list[Room]
    where: list[Condition] = []


class FindSockets(msgspec.Struct, array_like=True, tag=1, frozen=True):
    """Describe each of the clients, with its session or without."""

    session: bool


class CountSockets(msgspec.Struct, array_like=True, tag=2, frozen=True):
    """Count the clients."""


class FindRooms(msgspec.Struct, array_like=True, tag=3, frozen=True):
    """Name the namespace's rooms, with the number of clients in each."""


class JoinRooms(msgspec.Struct, array_like=True, tag=4, frozen=True):
    """Put the clients into rooms."""

    rooms: list[Room]


class LeaveRooms(msgspec.Struct, array_like=True, tag=5, frozen=True):
    """Take the clients out of rooms."""

    rooms: list[Room]


class DisconnectSockets(msgspec.Struct, array_like=True, tag=6, frozen=True):
    """Disconnect the clients from the namespace."""


class ServerEvent(msgspec.Struct, array_like=True, tag=7, frozen=True):
    """Run the server's own handler of an event; the answer is its node and what it returns.

    ``args`` is the packed list of its arguments.
    """

    event: str
    args: msgspec.Raw


class AskClients(msgspec.Struct, array_like=True, tag=8, frozen=True):
    """Hand the clients an event, and give what they answer within ``seconds``: their sids and ACK packets.

    The other fields are those of ``Emit``.
    """

    parts: list[bytes]
    text: bool
    ack_at: int
    ack_id: int
    seconds: float


Listing = FindSockets | FindRooms | AskClients | PresenceListing
"""Questions whose answers have many pieces. One that nobody wants any more is broken off; others are done."""
Question = Listing | CountSockets | JoinRooms | LeaveRooms | DisconnectSockets | ServerEvent | PresenceCall


class Query(msgspec.Struct, array_like=True, tag=18, gc=False):
    """Ask a node about its clients, or to do something with them; it answers with findings."""

    request: int
    recipients: Recipients
    question: Question


class Finding(msgspec.Struct, array_like=True, tag=19, gc=False):
    """A piece of a node's answer to a query; with ``last`` there are no more.

    ``items`` are packed each by itself, as the question says. ``error``: why the answer is not whole.
    """

    request: int
    items: list[msgspec.Raw]
    last: bool
    error: str = ""


class Want(msgspec.Struct, array_like=True, tag=21, gc=False):
    """Allows the next pieces of an answer; ``pieces`` is their number, or 0 if no more are wanted.

    The first ``answer_window.PIECES`` are allowed without it.
    """

    request: int
    pieces: int
