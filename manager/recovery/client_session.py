"""``ClientSession``: what a node knows of the session of one of its clients that may come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.outgoing import Outgoing

TRANSPORT_CLOSE: Final = "transport close"
"""The reason that disconnect handlers get when a client goes on with another connection."""


@dataclass(slots=True)
class ClientSession:
    """A session that this node owns.

    * ``pid`` is the client's private id, and ``claim`` what makes this node its owner.
    * ``position`` is the number up to which the client has got everything for certain.
    * ``upto`` is the number up to which missed events were replayed; live ones up to it are repeats.
    * ``written_at`` is the monotonic time, in seconds, at which all was written that had waited until the
      client was connected. The connection may be lost before that arrives, so ``position`` stays for a while.
    * ``joined`` says of each room at which number the client joined it.
    * ``unwritten`` are the rooms that it has entered (True) or left since the bus was told.
    * ``recovered`` tells that the client has come back, ``returning`` that missed events have to be replayed
      before anything newer. ``first`` are events of rooms' histories that come even before these.
    * ``over`` tells that the client will not come back: it said so, or was disconnected.
    * ``lost`` tells that the bus does not have the session.
    * ``tell`` is set for a client that is told where it is, as its answers to pings do not show that.
    """

    pid: str
    claim: str
    position: int
    upto: int = 0
    written_at: float = 0.0
    joined: dict[Room, int] = field(default_factory=dict)
    unwritten: dict[Room, bool] = field(default_factory=dict)
    recovered: bool = False
    returning: bool = False
    first: list[Outgoing] = field(default_factory=list)
    over: bool = False
    lost: bool = False
    tell: Callable[[str], None] | None = None


def write_room(room: Room) -> str:
    """Return a room's name as the bus keeps it."""
    return f"s{room}" if isinstance(room, str) else f"i{room}"


def read_room(text: str) -> Room:
    """Return the room that the bus has kept under this name."""
    return text[1:] if text[0] == "s" else int(text[1:])
