"""What nodes say to each other.

One struct per kind, written as a MessagePack array with the kind's number first. Numbers are never
used again for something else; fields are only added at the end, with a default, so that nodes of two
versions understand each other during a rolling update.
"""

from __future__ import annotations

import msgspec

from socketio_cluster.manager.bus.channels import Room


class Emit(msgspec.Struct, array_like=True, tag=1, gc=False):
    """An event for clients; the Socket.IO packet is already encoded.

    ``parts`` holds the packet and its binary attachments. ``ack`` is the number under which the sender
    waits for answers, 0 for none; ``ack_at`` is where the client's ack id goes into the packet, ``ack_id`` is
    the one that is in it, see ``packets``. ``ack_seconds`` is how long the sender waits, 0 for as long as the
    receiver's own option says.
    """

    namespace: str
    rooms: list[Room] | None
    skip: list[str]
    parts: list[bytes]
    text: bool
    ack: int = 0
    ack_at: int = 0
    ack_id: int = 0
    ack_seconds: float = 0


class Ack(msgspec.Struct, array_like=True, tag=2, gc=False):
    """A client's answer to an emit: its ACK packet, encoded again."""

    request: int
    parts: list[bytes]
    text: bool


class Gone(msgspec.Struct, array_like=True, tag=3, gc=False):
    """No answer will come to this emit: the client is not there any more."""

    request: int


class Enter(msgspec.Struct, array_like=True, tag=4, gc=False):
    """Put a client into a room."""

    request: int
    namespace: str
    sid: str
    room: Room


class Leave(msgspec.Struct, array_like=True, tag=5, gc=False):
    """Take a client out of a room."""

    request: int
    namespace: str
    sid: str
    room: Room


class Close(msgspec.Struct, array_like=True, tag=6, gc=False):
    """Take everybody out of a room."""

    request: int
    namespace: str
    room: Room


class Disconnect(msgspec.Struct, array_like=True, tag=7, gc=False):
    """Disconnect a client from a namespace."""

    request: int
    namespace: str
    sid: str


class Reply(msgspec.Struct, array_like=True, tag=8, gc=False):
    """What was asked for is done; or ``error`` says why not."""

    request: int
    error: str = ""


class Offer(msgspec.Struct, array_like=True, gc=False):
    """How far a node's stream is, so that others see whether they have missed something of it.

    ``upto``: everything up to this number was published before this offer, or never will be. ``marks``: the
    channels of what was published after number ``since``, as ``channel_set`` packs them. A node that has
    the stream up to ``since``, or further, and needs none of these channels, has missed nothing.
    """

    upto: int
    since: int
    marks: bytes


class Hello(msgspec.Struct, array_like=True, tag=14, gc=False):
    """A node is on the bus, again or for the first time; whoever hears it answers with a beat."""

    name: str
    address: str
    serving: bool
    clients: int
    draining: bool
    offer: Offer


class Beat(msgspec.Struct, array_like=True, tag=15, gc=False):
    """A node is alive; one that is ``draining`` takes no new clients and lets its own go."""

    name: str
    address: str
    serving: bool
    clients: int
    draining: bool
    offer: Offer


class Bye(msgspec.Struct, array_like=True, tag=11, gc=False):
    """A node leaves."""


class Ask(msgspec.Struct, array_like=True, tag=16, gc=False):
    """Ask a sender for a piece of what was missed: its envelopes above ``after`` to these channels.

    ``question`` is the asker's number for it. ``upto`` is the last number of interest, as the answer before
    has said; 0 in the first piece. ``channels``: ``ChannelSet.raw``.
    """

    question: int
    after: int
    upto: int
    channels: bytes


class Answer(msgspec.Struct, array_like=True, tag=17, gc=False):
    """A piece of what a node has missed: envelopes as they were sent.

    ``reached``: everything up to this number is in this piece or the ones before; ``upto``: where the last
    piece ends. ``lost``: so many are not kept any more; at least so many, unless ``exact``.
    """

    question: int
    envelopes: list[bytes]
    reached: int
    upto: int
    lost: int
    exact: bool


class PassedOn(msgspec.Struct, array_like=True, tag=13, gc=False):
    """An emit to rooms that are named like sids of the sender, but are none of its clients.

    The sender is the node that such an emit comes to. ``emitter`` is the node it is from, which has served
    its own clients. ``rooms`` are those rooms, ``event`` is the emit as it came.
    """

    emitter: str
    rooms: list[Room]
    event: Emit


class SelectiveEmit(msgspec.Struct, array_like=True, tag=20, gc=False):
    """An emit that leaves clients out: those in ``except_``, and with ``volatile`` those who are not free."""

    event: Emit
    except_: list[Room]
    volatile: bool


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


Message = (
    Emit
    | Ack
    | Gone
    | Enter
    | Leave
    | Close
    | Disconnect
    | Reply
    | Hello
    | Beat
    | Bye
    | Ask
    | Answer
    | PassedOn
    | Query
    | Finding
    | SelectiveEmit
)
Notice = Hello | Beat | Bye | Ask | Answer
"""What is no part of a sender's stream: it has no number, is not kept, and is sent before what waits."""
ClientRequest = Enter | Leave | Close | Disconnect
