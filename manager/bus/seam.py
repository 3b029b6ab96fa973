"""Brings what comes on two ways, through the bus and a Redis beside it, into the order of each sender.

A sender hands nothing to one way before the other has confirmed what comes earlier in its stream. So

* what came through the bus waits at the receiver until all has come that Redis had published by then;
* before a recorded event its sender publishes *marks* through Redis, to the channels that it has used on the
  bus since the last event. A mark is the header of the last envelope there, and the receiver takes what it
  has got from that sender up to it before it goes on.

This is pure book-keeping.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from socketio_cluster.manager.bus.broker import INBOX_LIMIT, Delivery, Publication
from socketio_cluster.manager.bus.envelope import HEADER_BYTES, Header, read_header
from socketio_cluster.manager.errors import BrokerError, EnvelopeError

MARK: Final = b"U"
"""The first byte of a mark. Events from Redis begin with that of a stamp."""
MOST: Final = 1000
"""The most channels that wait for a mark. With more they are marked at once, although no event follows."""
SENDERS: Final = 10_000
"""The most senders whose last number is known. When one is forgotten, its next mark costs a question."""
NOBODY: Final = Header("", 0, 0.0)
"""Stands for bytes without a header, which have no place in a stream."""


class Marks:
    """The marks that this node has to publish before its next event."""

    def __init__(self) -> None:
        self._marks: dict[str, bytes] = {}

    @property
    def full(self) -> bool:
        """Whether so many wait that they have to be published now."""
        return len(self._marks) > MOST

    def note(self, batch: Sequence[Publication]) -> None:
        """Note what went through the bus. Notices are no part of the stream."""
        for publication in batch:
            payload = publication.payload
            if _header(payload).number:
                self._marks.update(dict.fromkeys(publication.channels, MARK + payload[:HEADER_BYTES]))

    def take(self) -> list[Publication]:
        """Remove and return the marks."""
        marks, self._marks = self._marks, {}
        return [Publication((channel,), mark) for channel, mark in marks.items()]


class Seam:
    """What has come through the bus and waits for its place among what comes from Redis."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Header, Delivery]] = {}
        self._size = 0
        self._reached: dict[str, int] = {}
        self.count = 0
        """How many deliveries have come."""

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Add deliveries of the bus. Raises ``BrokerError`` if more than ``INBOX_LIMIT`` bytes wait."""
        for delivery in deliveries:
            header = _header(delivery.payload)
            self.count += 1
            self._waiting[self.count] = header, delivery
            self._size += len(delivery.payload)
            if header.number:
                self._reached[header.origin] = max(self._reached.get(header.origin, 0), header.number)
        while len(self._reached) > SENDERS:
            del self._reached[next(iter(self._reached))]
        if self._size > INBOX_LIMIT:
            raise BrokerError(f"this node is more than {INBOX_LIMIT // 2**20} MiB behind its bus")

    def has(self, mark: bytes) -> bool:
        """Whether everything up to a mark has come."""
        header = _header(mark[len(MARK) :])
        return self._reached.get(header.origin, 0) >= header.number

    def take_marked(self, mark: bytes) -> list[Delivery]:
        """Remove and return what has come from the sender of a mark, up to it."""
        last = _header(mark[len(MARK) :])
        return self._take(
            place
            for place, (header, _) in self._waiting.items()
            if header.origin == last.origin and 0 < header.number <= last.number
        )

    def take(self, count: int) -> list[Delivery]:
        """Remove and return those of the first so many deliveries that still wait."""
        return self._take(takewhile(lambda place: place <= count, self._waiting))

    def _take(self, places: Iterator[int]) -> list[Delivery]:
        taken = [self._waiting.pop(place)[1] for place in list(places)]
        self._size -= sum(len(delivery.payload) for delivery in taken)
        return taken


def _header(raw: bytes) -> Header:
    try:
        return read_header(raw)
    except EnvelopeError:
        return NOBODY
