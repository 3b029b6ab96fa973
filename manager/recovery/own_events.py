"""``OwnEvents``: the events that this node has posted and that come back from the bus, with their numbers.

A node that emits to a room of its own clients gets its event back. It knows it by its bytes, so that nothing
has to be verified and decoded again. This is pure book-keeping.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from socketio_cluster.manager.bus.envelope import Header, read_number
from socketio_cluster.manager.bus.messages import Message

MOST_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of envelopes that are remembered. The oldest are forgotten first, and are decoded."""
OVERHEAD: Final = 500

Own = tuple[Header, Message]


class OwnEvents:
    """The envelopes that may still come back, in the order of their numbers, which is that of the bus too."""

    def __init__(self) -> None:
        self._posted: deque[tuple[bytes, Own]] = deque()
        self._size = 0

    def posted(self, header: Header, envelope: bytes, message: Message) -> None:
        """Remember an envelope that the bus is to number."""
        posted = self._posted
        posted.append((envelope, (header, message)))
        self._size += len(envelope) + OVERHEAD
        while self._size > MOST_BYTES:
            self._size -= len(posted.popleft()[0]) + OVERHEAD

    def take(self, envelope: bytes) -> Own | None:
        """Return what came back, and forget it and all before it: they do not come any more.

        Returns None for an envelope that is not remembered, or is another one with the same number.
        """
        posted = self._posted
        number = 0
        while posted:
            raw, own = posted[0]
            if raw == envelope:  # Nearly always it is the first one.
                posted.popleft()
                self._size -= len(raw) + OVERHEAD
                return own
            number = number or read_number(envelope)
            if own[0].number > number:
                return None
            posted.popleft()
            self._size -= len(raw) + OVERHEAD
        return None
