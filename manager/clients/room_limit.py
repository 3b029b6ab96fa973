"""How many rooms one client may be in."""

from __future__ import annotations

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.rooms import Client
from socketio_cluster.manager.errors import TooManyRooms
from socketio_cluster.manager.stats import Stats


def check_rooms(client: Client, room: Room, limit: int | None, stats: Stats) -> None:
    """Raise ``TooManyRooms`` when a client is not to enter one more room; None is no limit."""
    if limit is None or len(client.rooms) < limit or room in client.rooms:
        return
    stats.rooms_refused += 1
    raise TooManyRooms(
        f"client {client.sid} is in {limit} rooms, the limit (rooms_per_client): it has to leave one first"
    )
