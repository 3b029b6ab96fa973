"""What ``native/deliver.h``, the last leg of an event in C, works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.local_room import LocalRoom
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import Encoded

if TYPE_CHECKING:
    from socketio_cluster.manager.clients.rooms import LocalRooms
    from socketio_cluster.manager.stats import Stats


def delivery_parts(members: LocalRooms, stats: Stats) -> dict[str, Any]:
    """Return the objects by which the clients of a node are reached, by the names that they have in C."""
    classes = {"client": Client, "local_room": LocalRoom, "outgoing": Outgoing, "encoded": Encoded}
    return {**classes, "book": members.rooms, "sids": members.clients, "stats": stats}
