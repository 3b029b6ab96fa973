"""Where a recorded event goes: the channels to publish it to, and the histories to keep it in."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from socketio_cluster.manager.bus.channels import Channels, Room
from socketio_cluster.manager.ids import node_of

MANY_ROOMS: Final = 16
"""An event for more rooms than this goes once to its whole namespace. Nodes without a recipient drop it."""

KNOWN: Final = 4096
"""The number of routes to one room that are remembered. Most events go to a room that had one before."""


class Route(NamedTuple):
    """The channels of an event, and those of them whose history keeps it."""

    channels: tuple[str, ...]
    recorded: tuple[str, ...]


def route(names: Channels, namespace: str, rooms: list[Room] | None) -> Route:
    """Return the route that reaches every node with a recipient, this one too, and clients that are away.

    A room with the form of a sid is most likely a client, on the node that the sid names: that node reads its
    inbox. A client that has come back to another node has a channel there that is named by its sid.
    """
    if rooms is not None and len(rooms) == 1:
        return to_one(names, namespace, rooms[0])
    if rooms is None or len(dict.fromkeys(rooms)) > MANY_ROOMS:
        everybody = (names.namespace(namespace),)
        return Route(everybody, everybody)
    return _to_rooms(names, namespace, rooms)


@lru_cache(KNOWN)
def to_one(names: Channels, namespace: str, room: Room) -> Route:
    """Return the route to one room."""
    return _to_rooms(names, namespace, [room])


def _to_rooms(names: Channels, namespace: str, rooms: list[Room]) -> Route:
    recorded = tuple(dict.fromkeys(names.room(namespace, room) for room in rooms))
    owners = dict.fromkeys(owner for room in rooms if (owner := node_of(room)) is not None)
    return Route((*recorded, *map(names.inbox, owners)), recorded)
