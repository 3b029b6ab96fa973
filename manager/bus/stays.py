"""``Stays``: the rooms that a client has left, for as long as it is owed what was emitted to them before.

Rooms are named as in channels (``store.py``), and numbers are those of events. This is pure book-keeping; in
Redis a script keeps the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

MOST: Final = 100
"""The most stays of one client. They are of the last minute, so nobody who reads has more by far."""
MOST_CLOSES: Final = 100
"""The most closes of one room that are told apart. Beyond that the earliest of them count as one."""


class Stay(msgspec.Struct, array_like=True, frozen=True):
    """The time that a client was in a room: it is owed the events after ``joined``, up to ``left``."""

    room: str
    joined: int
    left: int


class Stays(msgspec.Struct, array_like=True, frozen=True):
    """The stays of a client, oldest first, and the floor: of those that end up to it not all are kept."""

    floor: int = 0
    ended: tuple[Stay, ...] = ()

    def plus(self, more: Iterable[Stay], position: int) -> Stays:
        """Return these and more, without those in which nobody at this position can have missed anything.

        When there are too many, the first go. A client that has not come as far as the floor may have missed
        something in them.
        """
        ended = [stay for stay in (*self.ended, *more) if stay.left > max(stay.joined, position)]
        over = max(0, len(ended) - MOST)
        floor = max([self.floor, *(stay.left for stay in ended[:over])])
        return Stays(floor, tuple(ended[over:])) if ended or floor > position else NONE

    def have(self, room: str, number: int) -> bool:
        """Whether the client was in a room when an event got its number."""
        return any(stay.room == room and stay.joined < number <= stay.left for stay in self.ended)


NONE: Final = Stays()
