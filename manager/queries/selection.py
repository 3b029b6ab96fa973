"""Whom a question is about, as lists of rooms and as clients of this node."""

from __future__ import annotations

from typing import Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.query import Recipients
from socketio_cluster.manager.clients.rooms import CONNECTED, Client, LocalRooms
from socketio_cluster.manager.local_manager import room_list

Rooms = Room | list[Room] | tuple[Room, ...] | set[Room] | frozenset[Room]
"""A room or a sid, or several."""


def recipients(namespace: str | None, room: Any, except_: Any) -> Recipients:
    """Make recipients of what an application gives: a room or sid, several, or None.

    Raises ``TypeError`` and ``ValueError`` for a room that cannot be.
    """
    return Recipients(namespace or "/", room_list(room), room_list(except_) or [])


def select(members: LocalRooms, whom: Recipients) -> list[Client]:
    """The clients of this node that are meant, those among them that are still connecting too."""
    clients = members.members(whom.namespace, whom.rooms)
    if not whom.except_:
        return clients
    others = {client.sid for client in members.members(whom.namespace, whom.except_)}
    return [client for client in clients if client.sid not in others]


def select_connected(members: LocalRooms, whom: Recipients) -> list[Client]:
    """The same without those that are still connecting or already leaving."""
    return [client for client in select(members, whom) if client.state is CONNECTED]
