"""A queue of Engine.IO packets that counts the waiting bytes, for asyncio and for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

POLL_PACKETS: Final = 16
"""The most packets of one answer to a poll. python-engineio's clients refuse an answer with more."""

if TYPE_CHECKING:

    class Queue:
        """The methods that ``asyncio.Queue`` and ``queue.Queue`` have for their subclasses."""

        def _put(self, item: Any) -> None: ...

        def _get(self) -> Any: ...

else:
    Queue = object


class QueueOwner(Protocol):
    """The owner of the queues of one server."""

    def behind(self, queue: Any) -> None:
        """Called after each packet that a queue gets while it is above its mark."""

    def cut_off(self, queue: Any) -> str | None:
        """End the connection of a queue.

        Returns the connection's sid, or None if the connection has already ended.
        """


class ByteQueue(Queue):
    """A base class to put before a class of queues. It makes them a ``ClientQueue``.

    Args:
        mark: a number of bytes.
        owner: is told when more bytes than the mark wait.
    """

    def __init__(self, mark: int, owner: QueueOwner) -> None:
        super().__init__()
        self.waiting = 0
        self.mark = mark
        self._taken = 0
        self._owner = owner
        self._ended = False

    @property
    def queued(self) -> int:
        """How many bytes wait; 0 if the connection was cut off."""
        return 0 if self._ended else self.waiting

    @property
    def free(self) -> bool:
        """Whether nothing waits. For polling that means that a poll has taken all there was."""
        return not (self._ended or self.waiting)

    def cut_off(self) -> str | None:
        """End the connection.

        Returns its sid, or None if it has already ended.
        """
        self._ended = True
        return self._owner.cut_off(self)

    def _put(self, item: Any) -> None:
        super()._put(item)
        self.waiting += packet_size(item)
        if self.waiting > self.mark and not self._ended:
            self._owner.behind(self)

    def _get(self) -> Any:
        item = super()._get()
        self.waiting -= packet_size(item)
        return item


def packet_size(packet: Any) -> int:
    """Return the bytes that an Engine.IO packet counts for: 32 if its data is not yet text or bytes."""
    data = getattr(packet, "data", None)
    return len(data) if isinstance(data, str | bytes) else 32
