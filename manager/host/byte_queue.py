"""A queue of Engine.IO packets that knows how many bytes wait in it; for asyncio and for threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

POLL_PACKETS: Final = 16
"""Packets taken at a time: python-engineio's clients refuse an answer to a poll that holds more."""

if TYPE_CHECKING:

    class Queue:
        """What ``asyncio.Queue`` and ``queue.Queue`` have for those who build on them."""

        def _put(self, item: Any) -> None: ...

        def _get(self) -> Any: ...

else:
    Queue = object


class Weighed(Queue):
    """Goes in front of a class of queues.

    Args:
        limit: bytes.
        overflow: called once, with this queue, when more than these wait.
    """

    def __init__(self, limit: int, overflow: Callable[[Any], None]) -> None:
        super().__init__()
        self.waiting = 0
        self._taken = 0
        self._limit = limit
        self._overflow: Callable[[Any], None] | None = overflow

    def _put(self, item: Any) -> None:
        super()._put(item)
        self.waiting += packet_size(item)
        if self.waiting > self._limit and self._overflow is not None:
            overflow, self._overflow = self._overflow, None
            overflow(self)

    def _get(self) -> Any:
        item = super()._get()
        self.waiting -= packet_size(item)
        return item


def packet_size(packet: Any) -> int:
    """Bytes that an Engine.IO packet counts for in a queue; one whose data is not text or bytes yet: 32."""
    data = getattr(packet, "data", None)
    return len(data) if isinstance(data, str | bytes) else 32
