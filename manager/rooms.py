"""The clients of this node and the rooms they are in.

Pure book-keeping. What a client costs to remove is what it joined, not what exists. A client's own room,
named like its sid, is not stored: its sid is looked up instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Any, Final

from manager.channels import Room
from manager.outgoing import Outgoing

Callback = Callable[..., Any]

HELD_LIMIT: Final = 1000
"""Events held for a client whose connect handler has not accepted yet."""


class State(IntEnum):
    """A client's way through a namespace: PENDING until its connect handler has accepted."""

    PENDING = 0
    CONNECTED = 1
    LEAVING = 2


PENDING, CONNECTED, LEAVING = State


class Client:
    """One client in one namespace.

    ``held`` is what was emitted to it before its connect handler accepted. ``acks`` are the callbacks
    that wait for it, by ack id. ``kicked`` and ``lost`` note a disconnect, or the end of its transport
    (the reason), that came while it was pending.
    """

    __slots__ = (
        "ack_id",
        "acks",
        "eio_sid",
        "held",
        "kicked",
        "lost",
        "namespace",
        "rooms",
        "sid",
        "state",
        "write",
    )

    def __init__(self, sid: str, eio_sid: str, namespace: str, write: Callable[[Outgoing], None]) -> None:
        self.sid = sid
        self.eio_sid = eio_sid
        self.namespace = namespace
        self.write = write
        self.state: State = PENDING
        self.rooms: set[Room] = set()
        self.held: list[Outgoing] | None = None
        self.acks: dict[int, Callback] | None = None
        self.ack_id = 0
        self.kicked = False
        self.lost: str | None = None

    def send(self, outgoing: Outgoing) -> bool:
        """Hand over an event, or hold it until the connect handler has accepted."""
        if self.state is CONNECTED:
            self.write(outgoing)
            return True
        if self.state is PENDING:
            self._hold(outgoing)
        return False

    def _hold(self, outgoing: Outgoing) -> None:
        if self.held is None:
            self.held = []
        if len(self.held) < HELD_LIMIT:
            self.held.append(outgoing)
        else:
            # Its connect handler takes too long for what is emitted: rather than lose something without
            # a word, let it connect and send it away, so that it comes back and knows.
            self.kicked = True

    def expect_ack(self, callback: Callback) -> int:
        """Keep a callback; returns the ack id under which the client will answer."""
        if self.acks is None:
            self.acks = {}
        self.ack_id += 1
        self.acks[self.ack_id] = callback
        return self.ack_id

    def take_ack(self, ack_id: int) -> Callback | None:
        """Give and forget the callback under this id."""
        return self.acks.pop(ack_id, None) if self.acks else None


Members = dict[str, Client]


class Rooms:
    """``rooms[namespace][room][sid]`` is the client; the room None is everybody in the namespace."""

    def __init__(self) -> None:
        self.rooms: dict[str, dict[Room | None, Members]] = {}
        self.clients: Members = {}
        self._by_connection: dict[tuple[str, str], Client] = {}

    def add(self, client: Client) -> None:
        """Add a client to its namespace."""
        self.clients[client.sid] = client
        self._by_connection[client.eio_sid, client.namespace] = client
        self.rooms.setdefault(client.namespace, {}).setdefault(None, {})[client.sid] = client

    def remove(self, client: Client) -> None:
        """Remove a client that has left all its rooms."""
        del self.clients[client.sid]
        del self._by_connection[client.eio_sid, client.namespace]
        self._take_out(client, None)

    def find(self, sid: str | None, namespace: str) -> Client | None:
        """The client with this sid in this namespace."""
        client = self.clients.get(sid) if sid else None
        return client if client is not None and client.namespace == namespace else None

    def on_connection(self, eio_sid: str, namespace: str) -> Client | None:
        """The client that this connection is in this namespace."""
        return self._by_connection.get((eio_sid, namespace))

    def of_connection(self, eio_sid: str) -> list[Client]:
        """The clients that this connection is, one per namespace."""
        found = (self._by_connection.get((eio_sid, namespace)) for namespace in self.rooms)
        return [client for client in found if client is not None]

    def has(self, namespace: str, room: Room | None) -> bool:
        """Whether the room has a member here."""
        return room in self.rooms.get(namespace, ())

    def enter(self, client: Client, room: Room) -> None:
        """Put a client into a room."""
        client.rooms.add(room)
        self.rooms[client.namespace].setdefault(room, {})[client.sid] = client

    def leave(self, client: Client, room: Room) -> None:
        """Take a client out of a room; nothing happens when it is not in it."""
        if room in client.rooms:
            client.rooms.discard(room)
            self._take_out(client, room)

    def members(self, namespace: str, rooms: Iterable[Room] | None) -> Iterator[Client]:
        """Each client in any of the rooms once; None is everybody. A sid is a room of one.

        What is returned may be walked while clients come and go.
        """
        inside = self.rooms.get(namespace)
        if inside is None:
            return iter(())
        if rooms is None:
            return iter(list(inside[None].values()))
        found: Members = {}
        for room in rooms:
            if room in inside:
                found.update(inside[room])
            elif room in inside[None]:
                found[str(room)] = inside[None][str(room)]
        return iter(found.values())

    def _take_out(self, client: Client, room: Room | None) -> None:
        inside = self.rooms[client.namespace]
        del inside[room][client.sid]
        if not inside[room]:
            del inside[room]
        if not inside:
            del self.rooms[client.namespace]
