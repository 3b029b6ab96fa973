"""The messages of queries: what a node asks the others about their clients, and what they answer.

The rules of ``messages.py`` hold for them.
"""

from __future__ import annotations

import msgspec

from socketio_cluster.manager.bus.channels import Room


class Recipients(msgspec.Struct, array_like=True, frozen=True):
    """Clients of a namespace: those in any of the rooms (None: all), but for those in ``except_``.

    A sid is a room of one here.
    """

    namespace: str
    rooms: list[Room] | None
    except_: list[Room]


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

    The first piece comes at once and is empty. The other fields are those of ``Emit``.
    """

    parts: list[bytes]
    text: bool
    ack_at: int
    ack_id: int
    seconds: float


Question = (
    FindSockets
    | CountSockets
    | FindRooms
    | JoinRooms
    | LeaveRooms
    | DisconnectSockets
    | ServerEvent
    | AskClients
)


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
