"""The messages between nodes.

There is one struct for each kind. It is written as a MessagePack array with the number of the kind first.
Numbers are never used again for another kind. Fields are only added at the end, with a default, so that nodes
of two versions understand each other during a rolling update.
"""

from __future__ import annotations

from typing import Final, get_args

import msgspec

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.presence_messages import PresenceMessage
from socketio_cluster.manager.bus.query_messages import Condition, Finding, Query, Recipients, Want


class Emit(msgspec.Struct, array_like=True, tag=1, gc=False):
    """An event for clients, as an encoded Socket.IO packet.

    ``parts`` holds the packet and its binary attachments. ``ack`` is the request number under which the
    sender waits for answers, or 0. ``ack_at`` is the place of the client's ack id in the packet, and
    ``ack_id`` is the id that is in the packet already (see ``packets.py``). ``ack_seconds`` is how long the
    sender waits; 0 stands for the receiver's own option.
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
    """A client's answer to an emit, as an encoded ACK packet."""

    request: int
    parts: list[bytes]
    text: bool


class Gone(msgspec.Struct, array_like=True, tag=3, gc=False):
    """Says that no answer will come to an emit, because the client is gone."""

    request: int


class Enter(msgspec.Struct, array_like=True, tag=4, gc=False):
    """A request to put a client into a room, and to send it the last ``history`` events of it."""

    request: int
    namespace: str
    sid: str
    room: Room
    history: int = 0


class Leave(msgspec.Struct, array_like=True, tag=5, gc=False):
    """A request to take a client out of a room."""

    request: int
    namespace: str
    sid: str
    room: Room


class Close(msgspec.Struct, array_like=True, tag=6, gc=False):
    """A request to take all clients out of a room."""

    request: int
    namespace: str
    room: Room


class Disconnect(msgspec.Struct, array_like=True, tag=7, gc=False):
    """A request to disconnect a client from a namespace."""

    request: int
    namespace: str
    sid: str


class Taken(msgspec.Struct, array_like=True, tag=22, gc=False):
    """A request to drop a client, because it has come back to another node, which has its session now."""

    request: int
    namespace: str
    sid: str


class Reply(msgspec.Struct, array_like=True, tag=8, gc=False):
    """The reply to a request: it was carried out, or ``error`` says why not."""

    request: int
    error: str = ""


class Offer(msgspec.Struct, array_like=True, gc=False):
    """Says how far a node's stream is, so that other nodes see whether they have missed envelopes of it.

    Everything up to the number ``upto`` was published before this offer, or never will be. ``marks`` are the
    channels of the envelopes after the number ``since``, as ``channel_set`` packs them. A node that has the
    stream at least up to ``since``, and needs none of these channels, has missed nothing.
    """

    upto: int
    since: int
    marks: bytes


class Hello(msgspec.Struct, array_like=True, tag=14, gc=False):
    """Says that a node is on the bus, again or for the first time. Other nodes answer with a beat."""

    name: str
    address: str
    serving: bool
    clients: int
    draining: bool
    offer: Offer
    records: bool = False
    bridge: bool = False
    reads: int = 1
    history: str = ""
    recovery_seconds: float = 0


class Beat(msgspec.Struct, array_like=True, tag=15, gc=False):
    """Says that a node is alive. One that is ``draining`` takes no new clients and disconnects its own.

    ``records`` tells that the bus keeps its events, and ``history`` names what keeps them. ``bridge`` tells
    that the node needs to hear every emit, because it passes them on to a cluster of another kind. ``reads``
    is the newest version of the envelope that it reads. ``recovery_seconds`` is the option, 0 for None.
    """

    name: str
    address: str
    serving: bool
    clients: int
    draining: bool
    offer: Offer
    records: bool = False
    bridge: bool = False
    reads: int = 1
    history: str = ""
    recovery_seconds: float = 0


class Bye(msgspec.Struct, array_like=True, tag=11, gc=False):
    """Says that a node leaves."""


class Late(msgspec.Struct, array_like=True, tag=28, gc=False):
    """Says to a node that what it publishes comes so many seconds late to the sender of this."""

    seconds: float


class Ask(msgspec.Struct, array_like=True, tag=16, gc=False):
    """Asks a sender for a piece of missed envelopes: those above the number ``after`` to these channels.

    ``question`` is the asker's number for it. ``upto`` is the last number of interest, which the answer
    before has said, or 0 for the first piece. ``channels`` is ``ChannelSet.raw``.
    """

    question: int
    after: int
    upto: int
    channels: bytes


class Answer(msgspec.Struct, array_like=True, tag=17, gc=False):
    """A piece of the envelopes that a node has missed, in the form in which they were sent.

    Everything up to the number ``reached`` is in this piece or those before. ``upto`` is the number at which
    the last piece ends. ``lost`` is how many envelopes are not kept any more; without ``exact`` there may be
    more.
    """

    question: int
    envelopes: list[bytes]
    reached: int
    upto: int
    lost: int
    exact: bool


class PassedOn(msgspec.Struct, array_like=True, tag=13, gc=False):
    """An emit that a node passes on, to rooms whose names have the form of its sids but are no clients of it.

    Such an emit comes to this node first. ``emitter`` is the node that the emit is from, and which has served
    its own clients. ``rooms`` are the rooms in question, and ``event`` is the emit as it came.
    """

    emitter: str
    rooms: list[Room]
    event: Emit


class SelectiveEmit(msgspec.Struct, array_like=True, tag=20, gc=False):
    """An emit that leaves clients out.

    These are those in ``except_``, those whose session does not fulfil ``where``, and with ``volatile`` those
    that are not free.
    """

    event: Emit
    except_: list[Room]
    volatile: bool
    where: list[Condition] = []


class Recorded(msgspec.Struct, array_like=True, tag=25, gc=False):
    """An event that the bus numbers and keeps; every node, its sender too, delivers it when it comes back.

    Clients in the rooms ``except_``, and those whose session does not fulfil ``where``, do not get it.
    """

    event: Emit
    except_: list[Room] = []
    where: list[Condition] = []

    @property
    def recipients(self) -> Recipients:
        """The clients that it is for, but for those that ``event.skip`` names."""
        return Recipients(self.event.namespace, self.event.rooms, self.except_, self.where)


class Unknown(msgspec.Struct, array_like=True, tag=0, gc=False):
    """Stands for a message of a kind that only a newer release knows. Nobody sends it."""


class Dropped(msgspec.Struct, array_like=True, tag=26, gc=False):
    """Says that recorded events to these channels were dropped, as the bus was away or did not take them.

    The bus numbers and keeps it, in the histories of the same channels. That of a namespace stands for all of
    its rooms too.
    """

    channels: tuple[str, ...]


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
    | Late
    | Ask
    | Answer
    | PassedOn
    | Query
    | Finding
    | SelectiveEmit
    | Want
    | PresenceMessage
    | Recorded
    | Dropped
    | Taken
    | Unknown
)
KINDS: Final = {kind.__struct_config__.tag: kind for kind in get_args(Message)}
"""The kinds by their numbers."""
Notice = Hello | Beat | Bye | Late | Ask | Answer
"""The messages that are no part of a stream.

They have no number, are not kept, and are sent before the stream.
"""
ClientRequest = Enter | Leave | Close | Disconnect | Taken
