"""The clients of this node and the rooms they are in.

This is pure book-keeping. The cost of removing a client depends on the rooms that it has joined, not on all
rooms. A client's own room, whose name is its sid, is not stored: the sid is looked up instead.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.local_room import LocalRoom
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.errors import TooManyRooms
from socketio_cluster.manager.stats import Stats

if TYPE_CHECKING:
    from socketio_cluster.manager.clients.acks import PendingAck
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


class LocalRooms:
    """The book of clients: ``rooms[namespace][room][sid]`` is a client. The room None holds everybody."""

    def __init__(self) -> None:
        self.rooms: dict[str, dict[Room | None, LocalRoom]] = {}
        self.clients: dict[str, Client] = {}
        self._by_connection: dict[tuple[str, str], Client] = {}

    def add(self, client: Client) -> None:
        """Add a client to its namespace."""
        self.clients[client.sid] = client
        self._by_connection[client.eio_sid, client.namespace] = client
        _room(self.rooms.setdefault(client.namespace, {}), None).add(client)

    def remove(self, client: Client) -> LocalRoom:
        """Remove a client that has left all its rooms. Returns the room of everybody in its namespace."""
        del self.clients[client.sid]
        del self._by_connection[client.eio_sid, client.namespace]
        everybody = self.rooms[client.namespace][None]
        self._take_out(client, everybody)
        return everybody

    def find(self, sid: Room | None, namespace: str) -> Client | None:
        """Return the client with this sid in this namespace, or None."""
        client = self.clients.get(sid) if sid else None  # type: ignore[arg-type]
        return client if client is not None and client.namespace == namespace else None

    def on_connection(self, eio_sid: str, namespace: str) -> Client | None:
        """Return the client of this connection in this namespace, or None."""
        return self._by_connection.get((eio_sid, namespace))

    def of_connection(self, eio_sid: str) -> list[Client]:
        """Return the clients of this connection, one for each namespace that it has joined."""
        found = (self._by_connection.get((eio_sid, namespace)) for namespace in self.rooms)
        return [client for client in found if client is not None]

    def has(self, namespace: str, room: Room | None) -> bool:
        """Whether a client of this node is in the room."""
        return room in self.rooms.get(namespace, ())

    def enter(self, client: Client, room: Room) -> bool:
        """Put a client into a room. Returns False if the client is in it already."""
        if room in client.rooms:
            return False
        local = _room(self.rooms[client.namespace], room)
        client.rooms[local.name] = local  # type: ignore[index]
        local.add(client)
        return True

    def leave(self, client: Client, room: Room) -> LocalRoom | None:
        """Take a client out of a room. Returns the room, or None if the client is not in it."""
        local = client.rooms.pop(room, None)
        if local is not None:
            self._take_out(client, local)
        return local

    def members(self, namespace: str, rooms: list[Room] | None) -> Sequence[Client]:
        """Return each client that is in any of the rooms, once. None means everybody.

        A sid is the name of a room with one client.
        """
        inside = self.rooms.get(namespace)
        if inside is None:
            return ()
        if rooms is None:
            return inside[None].clients()
        if len(rooms) == 1:
            local = inside.get(rooms[0])
            return local.clients() if local is not None else self._alone(rooms[0], namespace)
        found: dict[str, Client] = {}
        for room in rooms:
            local = inside.get(room)
            if local is not None:
                found.update(local.by_sid())
            else:
                found.update((client.sid, client) for client in self._alone(room, namespace))
        return list(found.values())

    def _alone(self, sid: Room, namespace: str) -> Sequence[Client]:
        """Return the client in a room that is named like a sid, or nobody."""
        client = self.find(sid, namespace)
        return (client,) if client is not None else ()

    def _take_out(self, client: Client, local: LocalRoom) -> None:
        local.remove(client)
        if local.held:
            return
        inside = self.rooms[client.namespace]
        del inside[local.name]
        if not inside:
            del self.rooms[client.namespace]


def _room(inside: dict[Room | None, LocalRoom], name: Room | None) -> LocalRoom:
    """Return a room, which is made if there is none."""
    room = inside.get(name)
    if room is None:
        room = inside[name] = LocalRoom(name)
    return room


def check_room_limit(client: Client, room: Room, limit: int | None, stats: Stats) -> None:
    """Raise ``TooManyRooms``, and count it, if a client is at its limit of rooms. None means no limit."""
    if limit is None or len(client.rooms) < limit or room in client.rooms:
        return
    stats.rooms_refused += 1
    raise TooManyRooms(
        f"client {client.sid} is in {limit} rooms, the limit (rooms_per_client): it has to leave one first"
    )
