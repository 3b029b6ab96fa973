"""The clients of this node and the rooms they are in.

This is pure book-keeping. The cost of removing a client depends on the rooms that it has joined, not on all
rooms. A client's own room, whose name is its sid, is not stored: the sid is looked up instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.local_room import LocalRoom
from socketio_cluster.manager.errors import ROOM_LIMIT, TooManyRooms
from socketio_cluster.manager.stats import Stats


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
        self.rooms.setdefault(client.namespace, {}).setdefault(None, LocalRoom(None)).add(client)

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

    def is_here(self, client: Client) -> bool:
        """Whether a client has not gone since it was found. One that is back has the same sid."""
        return self.clients.get(client.sid) is client

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
        inside = self.rooms[client.namespace]
        local = inside.get(room)
        if local is None:
            local = inside[room] = LocalRoom(room)
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
            if local is None:
                return self._alone(rooms[0], namespace)
            held = local.held  # as in `clients`; a call for each event would cost too much here
            return held if type(held) is tuple else local.clients()
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


def check_room_limit(client: Client, room: Room, limit: int | None, stats: Stats) -> None:
    """Raise ``TooManyRooms``, and count it, if a client is at its limit of rooms. None means no limit."""
    if limit is None or len(client.rooms) < limit or room in client.rooms:
        return
    stats.rooms_refused += 1
    raise TooManyRooms(f"client {client.sid} is in {limit} rooms, {ROOM_LIMIT}: it has to leave one first")
