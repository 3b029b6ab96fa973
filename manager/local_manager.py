"""``LocalManager``: the synchronous half of a client manager, which keeps the clients of this node."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from socketio import AsyncManager

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.checks import room_list
from socketio_cluster.manager.clients.client import CONNECTED, PENDING, Client
from socketio_cluster.manager.clients.client_acks import ClientAcks
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.rooms import LocalRooms
from socketio_cluster.manager.errors import UNKNOWN_SID


class LocalManager(AsyncManager, ABC):  # type: ignore[misc]
    """The clients and rooms of one node. It knows nothing of other nodes.

    python-socketio's admin UI replaces ``basic_enter_room`` and ``basic_leave_room`` to watch the rooms. So
    every change goes through these two methods.
    """

    def __init__(self, held_bytes: int, ack_seconds: float) -> None:
        super().__init__()
        self.members = LocalRooms()
        self.client_acks = ClientAcks(ack_seconds)
        self.held_bytes = held_bytes

    @abstractmethod
    def writer_of(self, eio_sid: str) -> Callable[[Outgoing], None]:
        """Return the function that writes events to a connection."""

    @abstractmethod
    def emptied(self, namespace: str, room: Room | None) -> None:
        """Called when the last client has left a room, or with None the namespace."""

    def entered(self, client: Client, room: Room) -> None:
        """Called when a client was put into a room in which it was not before."""

    def left(self, client: Client, room: Room) -> None:
        """Called when a client was taken out of a room in which it was."""

    def removed(self, client: Client) -> None:
        """Called when a client was removed from its rooms and its namespace."""

    def pre_disconnect(self, sid: str, namespace: str) -> str:
        """Mark a client as leaving and return its connection's sid."""
        client = self.members.clients[sid]
        client.leaving()
        return client.eio_sid

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """Remove a client from its rooms and its namespace, and abandon the callbacks that wait for it."""
        client = self.members.find(sid, namespace)
        if client is None:
            return
        for room in list(client.rooms):
            self.basic_leave_room(sid, namespace, room)
        self.client_acks.abandon(client)
        self.basic_leave_room(sid, namespace, sid)
        self.basic_leave_room(sid, namespace, None)
        self.removed(client)

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        """Whether this is a client of this node whose connect handler runs."""
        client = self.members.find(sid, namespace)
        return client is not None and client.state is PENDING

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Whether this is a connected client of this node."""
        client = self.members.find(sid, namespace)
        return client is not None and client.state is CONNECTED

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """Return the sid of a connection in a namespace, or None."""
        client = self.members.on_connection(eio_sid, namespace)
        return client.sid if client is not None else None

    def eio_sid_from_sid(self, sid: str, namespace: str = "/") -> str | None:
        """Return the connection's sid of a client of this node, or None."""
        client = self.members.find(sid, namespace)
        return client.eio_sid if client is not None else None

    @property
    def rooms(self) -> dict[str, Any]:
        """``rooms[namespace][room]`` maps sids to clients of this node. The room None holds everybody."""
        return self.members.rooms

    @rooms.setter
    def rooms(self, value: object) -> None:
        """Ignore the table of the base class."""

    def get_namespaces(self) -> Any:
        """Return the namespaces that have clients on this node."""
        return self.members.rooms.keys()

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """Yield ``(sid, eio_sid)`` of each client of this node that is in a room or a list of rooms."""
        for client in self.members.members(namespace, room_list(room)):
            yield client.sid, client.eio_sid

    def get_rooms(self, sid: str, namespace: str) -> list[Room]:
        """Return the rooms of a client of this node. Its own room is one of them."""
        client = self.members.find(sid, namespace)
        return [sid, *client.rooms] if client is not None else []

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        """Put a client of this node into a room. The room None is the namespace itself.

        Raises ``ValueError`` for an unknown sid.
        """
        if room is None:
            assert eio_sid is not None
            self.members.add(Client(sid, eio_sid, namespace, self.writer_of(eio_sid), self.held_bytes))
        elif room != sid:
            client = self.members.find(sid, namespace)
            if client is None:
                raise ValueError(UNKNOWN_SID)
            if self.members.enter(client, room):
                self.entered(client, room)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Take a client of this node out of a room. The room None is the namespace itself."""
        client = self.members.find(sid, namespace)
        if client is None or room == sid:
            return
        local = self.members.remove(client) if room is None else self.members.leave(client, room)
        if local is None:
            return
        if not local.held:
            self.emptied(namespace, room)
        if room is not None:
            self.left(client, room)

    def basic_close_room(self, room: Any, namespace: str) -> None:
        """Take all clients of this node out of a room. Raises ``ValueError`` for a client's own room."""
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot close a sid room")
        for client in self.members.members(namespace, [room]):
            self.basic_leave_room(client.sid, namespace, room)
