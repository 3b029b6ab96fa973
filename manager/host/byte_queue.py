"""A queue of Engine.IO packets that knows how many bytes wait in it; for asyncio and for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

POLL_PACKETS: Final = 16
"""Packets taken at a time: python-engineio's clients refuse an answer to a poll that holds more."""

if TYPE_CHECKING:

    class Queue:
        """What ``asyncio.Queue`` and ``queue.Queue`` have for those who build on them."""

        def _put(self, item: Any) -> None: ...

        def _get(self) -> Any: ...

else:
    Queue = object


class QueueOwner(Protocol):
    """Who sees to the queues of one server."""

    def behind(self, queue: Any) -> None:
        """More than its mark waits in a queue; told after each packet."""

    def cut_off(self, queue: Any) -> str | None:
        """End the connection of a queue; returns its sid, None when it has ended by itself."""


class ByteQueue(Queue):
    """Goes in front of a class of queues, and makes them a ``Way`` to a client.

    Args:
        mark: bytes.
        keeper: is told when more than these wait.
    """

    def __init__(self, mark: int, keeper: QueueOwner) -> None:
        super().__init__()
        self.waiting = 0
        self.mark = mark
        self._taken = 0
        self._keeper = keeper
        self._ended = False

    @property
    def queued(self) -> int:
        """Bytes that wait; 0 when the connection was cut off."""
        return 0 if self._ended else self.waiting

    def cut_off(self) -> str | None:
        """End the connection; returns its sid, None when it has ended by itself."""
        self._ended = True
        return self._keeper.cut_off(self)

    def _put(self, item: Any) -> None:
        super()._put(item)
        self.waiting += packet_size(item)
        if self.waiting > self.mark and not self._ended:
            self._keeper.behind(self)

    def _get(self) -> Any:
        item = super()._get()
        self.waiting -= packet_size(item)
        return item


def packet_size(packet: Any) -> int:
    """Bytes that an Engine.IO packet counts for in a queue; one whose data is not text or bytes yet: 32."""
    data = getattr(packet, "data", None)
    return len(data) if isinstance(data, str | bytes) else 32
