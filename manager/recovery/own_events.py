"""``OwnEvents``: the events that this node has posted and that come back from the bus, with their numbers.

A node that emits to a room of its own clients gets its event back. It knows it by its bytes, so that nothing
has to be verified and decoded again. This is pure book-keeping.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from socketio_cluster.manager.bus.envelope import ORIGIN, read_number
from socketio_cluster.manager.bus.receiver import Event

MOST_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of envelopes that are remembered. The oldest are forgotten first, and are decoded."""
OVERHEAD: Final = 500


class OwnEvents:
    """The envelopes that may still come back, in the order of their numbers, which is that of the bus too."""

    __slots__ = ("_posted", "_size")

    def __init__(self) -> None:
        self._posted: deque[tuple[bytes, Event]] = deque()
        self._size = 0

    def posted(self, envelope: bytes, event: Event) -> None:
        """Remember an envelope that the bus is to number."""
        posted = self._posted
        posted.append((envelope, event))
        self._size += len(envelope) + OVERHEAD
        while self._size > MOST_BYTES:
            self._size -= len(posted.popleft()[0]) + OVERHEAD

    def take(self, envelope: bytes) -> Event | None:
        """Return what came back, and forget it and all before it: they do not come any more.

        Returns None for an envelope of another node, for one that is not remembered, and for another one with
        the same number.
        """
        posted = self._posted
        while posted:
            raw, event = posted[0]
            known = raw == envelope  # Nearly always it is the first one.
            if not known and not _is_before(raw, envelope):
                return None
            posted.popleft()
            self._size -= len(raw) + OVERHEAD
            if known:
                return event
        return None

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_hear.c`` works with, by the names there. It does as ``take``."""
        parts = {"own_events": self, "posted": self._posted, "forget": self._posted.popleft}
        return {**parts, "overhead": OVERHEAD}


def _is_before(one: bytes, other: bytes) -> bool:
    """Whether an envelope has the sender of another one, and no higher number."""
    return one[ORIGIN] == other[ORIGIN] and read_number(one) <= read_number(other)
