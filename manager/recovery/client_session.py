"""``ClientSession``: what a node knows of the session of one of its clients that may come back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.stays import NONE, Stay, Stays
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
    * ``tried`` is the number of the event with which the last replay to the client began, and how often one
      did. The bus is told if the event is large, or the client has said that a message is too large for it.
    * ``known`` is where the bus was when its client claimed it, or later.
    * ``joined`` says of each room at which number the client joined it, and ``stays`` when it has left rooms.
    * ``unwritten`` are the rooms that it has entered (True) or left since the bus was told, and ``ended`` the
      stays that have ended since.
    * ``recovered`` tells that the client has come back, ``returning`` that missed events have to be replayed
      before anything newer. ``first`` are events of rooms' histories that come even before these, and
      ``granted`` the numbers of some that come among them.
    * ``parted`` tells that the connection has ended. The client keeps its rooms.
    * ``over`` tells that the client will not come back: it said so, or was disconnected.
    * ``lost`` tells that the bus does not have the session as it is, and ``unsure`` that it may have it
      without what was last done to the client: it has not answered.
    * ``tell`` is set for a client that is told where it is, as its answers to pings do not show that.
    """

    pid: str
    claim: str
    position: int
    upto: int = 0
    written_at: float = 0.0
    tried: tuple[int, int] = (0, 0)
    known: int = 0
    joined: dict[Room, int] = field(default_factory=dict)
    stays: Stays = NONE
    unwritten: dict[Room, bool] = field(default_factory=dict)
    ended: tuple[Stay, ...] = ()
    recovered: bool = False
    returning: bool = False
    first: list[Outgoing] = field(default_factory=list)
    granted: frozenset[int] = frozenset()
    parted: bool = False
    over: bool = False
    lost: bool = False
    unsure: bool = False
    tell: Callable[[str], None] | None = None

    @property
    def replayed(self) -> int:
        """The number up to which the client has got, or was just sent, everything."""
        return max(self.position, self.upto)

    def enter(self, room: Room, seen: int) -> None:
        """Note that the client enters a room on a node that has handled the events up to a number."""
        self.unwritten[room] = True
        self.joined[room] = max(seen, self.upto, self.known)

    def leave(self, room: Room, seen: int) -> None:
        """Note that the client leaves a room."""
        stay = Stay(write_room(room), self.joined.pop(room, self.position), max(seen, self.upto, self.known))
        self.unwritten[room] = False
        self.ended = (*self.ended, stay)
        self.stays = self.stays.plus([stay], self.position)

    def move(self, position: int, floor: int) -> None:
        """Note how far the client has come, and up to where events are not kept any more."""
        self.position = max(self.position, position)
        if self.stays is not NONE:
            self.stays = self.stays.plus((), max(self.position, floor))

    def was_in(self, rooms: Iterable[Room], number: int) -> bool:
        """Whether the client was in any of these rooms when an event got its number, as far as is known."""
        joined, stays = self.joined, self.stays
        return any(
            joined.get(room, number) < number or (stays.ended and stays.have(write_room(room), number))
            for room in rooms
        )


def write_room(room: Room) -> str:
    """Return a room's name as the bus keeps it."""
    return f"s{room}" if isinstance(room, str) else f"i{room}"


def read_room(text: str) -> Room:
    """Return the room that the bus has kept under this name."""
    return text[1:] if text[0] == "s" else int(text[1:])
