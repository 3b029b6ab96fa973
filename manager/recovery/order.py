"""``Order``: how far this node has handled the cluster's events, in their one order.

Events come live, each once or more, in the order of their numbers. While the node was cut off it missed some,
which it reads from the history; live ones that come meanwhile are held, up to a bound. This is pure
book-keeping.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.store import Place

HELD_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of held events. With more they are dropped, and read from the history."""
OVERHEAD: Final = 300

Item = TypeVar("Item")


def begun_since(epoch: str, place: Place, now: float) -> float | None:
    """Return when the history at a place began, if it is another than that of a known epoch.

    ``now`` is when the place was asked for. None if that is not known.
    """
    if not epoch or place.epoch == epoch or place.age is None:
        return None
    return now - place.age


class Order(Generic[Item]):
    """The number of the last event that was handled, and the events that wait."""

    __slots__ = ("_full", "_held", "_size", "behind", "epoch", "seen")

    def __init__(self) -> None:
        self.epoch = ""
        """The epoch, or an empty text before the first one is known."""
        self.seen = 0
        """Everything up to this number was handled, or was not for this node."""
        self.behind = True
        """Whether events may have been missed. Live ones are held meanwhile."""
        self._held: list[tuple[int, Item]] = []
        self._size = 0
        self._full = False

    @property
    def stamp(self) -> Stamp:
        """The place up to which everything was handled."""
        return Stamp(self.epoch, self.seen)

    def live(self, epoch: str, number: int, item: Item, size: int) -> bool:
        """Note a live event. Returns whether it is to be handled now: it is not held and no repeat."""
        if self.behind:
            self._hold(number, item, size)
            return False
        if epoch != self.epoch:
            # The bus has begun anew under way. What it published before has come, because a connection keeps
            # its order.
            self.epoch, self.seen = epoch, number
            return True
        if number <= self.seen:
            return False
        self.seen = number
        return True

    def cut(self) -> None:
        """Note that this node is cut off."""
        self.behind = True
        self._drop()

    def begin(self, place: Place) -> None:
        """Start, or start anew, at the last event."""
        self.epoch, self.seen = place.epoch, place.last

    def reaches_back(self, place: Place) -> bool:
        """Whether a history still has everything that comes after what this node has handled."""
        return place.epoch == self.epoch and place.floor <= self.seen

    def advance(self, epoch: str, number: int) -> None:
        """Note that everything up to a number must have come, as far as it was for this node."""
        if epoch == self.epoch and not self.behind:
            self.seen = max(self.seen, number)

    def release(self) -> list[tuple[int, Item]]:
        """Return the held events to handle now, as everything before them was read.

        The node is not behind any more, unless some were not held.
        """
        due = [(number, item) for number, item in self._held if number > self.seen]
        if due:
            self.seen = due[-1][0]
        self.behind = self._full
        self._drop()
        return due

    def _hold(self, number: int, item: Item, size: int) -> None:
        if self._held and number <= self._held[-1][0]:
            return
        self._size += size + OVERHEAD
        if self._full or self._size > HELD_BYTES:
            self._full = True
            return
        self._held.append((number, item))

    def _drop(self) -> None:
        self._held = []
        self._size = 0
        self._full = False
