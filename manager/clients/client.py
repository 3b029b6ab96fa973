"""``Client``: one client of this node in one namespace, and the function that takes the events for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.outgoing import Outgoing

if TYPE_CHECKING:
    from socketio_cluster.manager.clients.acks import PendingAck
    from socketio_cluster.manager.clients.local_room import LocalRoom
    from socketio_cluster.manager.recovery.client_session import ClientSession
    from socketio_cluster.manager.recovery.gate import Gate

Callback = Callable[..., Any]


class State(IntEnum):
    """The state of a client in a namespace. It is PENDING until its connect handler has accepted it."""

    PENDING = 0
    CONNECTED = 1
    LEAVING = 2


PENDING, CONNECTED, LEAVING = State


class HeldEvents:
    """The events for a client whose connect handler has not accepted it yet, in order.

    They are sent after the CONNECT packet.

    Args:
        most: a number of bytes. The event that exceeds it is kept, and later ones are not.
    """

    __slots__ = ("_bytes", "_most", "events", "overflowed")

    def __init__(self, most: int) -> None:
        self.events: list[Outgoing] = []
        self.overflowed = False
        """Whether events were dropped. Then the client has to connect again, so that it knows of the gap."""
        self._bytes = 0
        self._most = most

    def put(self, outgoing: Outgoing) -> None:
        """Keep an event, or drop it if the bound is exceeded already."""
        if self._bytes > self._most:
            self.overflowed = True
            return
        self.events.append(outgoing)
        self._bytes += outgoing.encoded.size


class Client:
    """One client in one namespace.

    ``write`` is a function that writes an event to the client's connection. ``send`` is the function that a
    fan-out calls for each event, so that the fan-out does not have to look at the state. It holds the event
    while the client is pending, calls ``write`` while it is connected, and does nothing while it leaves.
    ``held`` keeps the events that were emitted before the connect handler accepted the client, about
    ``held_bytes`` at most. ``acks`` are the callbacks that wait for the client's answers, by ack id, and
    ``ack_id`` is the last id; ``client_acks.py`` changes both. ``kicked`` is set if the client was
    disconnected while it was pending, and ``lost`` is the reason if its transport ended meanwhile.
    ``connected_at`` is the time at which the connect handler accepted the client, in epoch seconds, or 0
    before that. ``session`` is set if the client knows connection state recovery and may come back. ``gate``
    is set while the client gets the history of a room: events pass through it.
    """

    __slots__ = (
        "ack_id",
        "acks",
        "connected_at",
        "eio_sid",
        "gate",
        "held",
        "kicked",
        "lost",
        "namespace",
        "rooms",
        "send",
        "session",
        "sid",
        "state",
        "write",
    )

    def __init__(
        self,
        sid: str,
        eio_sid: str,
        namespace: str,
        write: Callable[[Outgoing], None],
        held_bytes: int,
    ) -> None:
        self.sid = sid
        self.eio_sid = eio_sid
        self.namespace = namespace
        self.write = write
        self.held: HeldEvents | None = HeldEvents(held_bytes)
        self.send: Callable[[Outgoing], None] = self.held.put
        self.state: State = PENDING
        self.rooms: dict[Room, LocalRoom] = {}
        self.acks: OrderedDict[int, PendingAck] | None = None
        self.ack_id = 0
        self.connected_at = 0.0
        self.kicked = False
        self.lost: str | None = None
        self.session: ClientSession | None = None
        self.gate: Gate | None = None

    def connected(self, now: float) -> bool:
        """Send the held events, and let later ones through. Returns False if some events were not held.

        ``now`` is in epoch seconds.
        """
        self.state = CONNECTED
        self.connected_at = now
        self._aim()
        held, self.held = self.held, None
        if held is None:
            return True
        for outgoing in held.events:
            self.write(outgoing)
        return not held.overflowed

    def leaving(self) -> None:
        """Drop all events from now on."""
        self.state = LEAVING
        self.held = None
        self.send = _ignore

    def change_writer(self, write: Callable[[Outgoing], None]) -> None:
        """Change the function that writes to the connection."""
        self.write = write
        if self.state is CONNECTED:
            self._aim()

    def let_through(self, gate: Gate | None) -> None:
        """Let events pass through a gate from now on, or with None no longer."""
        self.gate = gate
        self._aim()

    def onward(self, outgoing: Outgoing) -> None:
        """Take an event from the gate."""
        if self.held is not None:
            self.held.put(outgoing)
        elif self.state is CONNECTED:
            self.write(outgoing)

    def _aim(self) -> None:
        if self.state is LEAVING:
            self.send = _ignore
        elif self.gate is not None:
            self.send = self.gate.put
        else:
            self.send = self.held.put if self.state is PENDING and self.held is not None else self.write

    def awaits_ack(self, ack_id: int) -> bool:
        """Whether a callback waits for the answer with this id."""
        return self.acks is not None and ack_id in self.acks


def _ignore(outgoing: Outgoing) -> None:
    """Drop an event for a client that leaves."""
