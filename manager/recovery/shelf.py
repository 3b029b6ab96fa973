"""``Shelf``: the events that were replayed last, each decoded and marked once for all who missed it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Final, NamedTuple

from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Recorded
from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.recovery.marking import Marked, MarkingFanout

logger = logging.getLogger("socketio_cluster.manager")

MOST_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of the payloads: as much as a client may have waiting."""
OVERHEAD: Final = 1000
"""Bytes that an event takes beside its payload."""


class Replayed(NamedTuple):
    """An event of the history: for whom it is, and what they get."""

    message: Recorded
    marked: Marked


class Shelf:
    """Keeps events by their stamps, up to a number of bytes. The least recently used one goes first.

    Clients that come back at the same time have mostly missed the same events.
    """

    def __init__(self, codec: Codec, fanout: MarkingFanout) -> None:
        self._codec = codec
        self._fanout = fanout
        self._events: OrderedDict[Stamp, tuple[Replayed | None, int]] = OrderedDict()
        self._size = 0

    def event(self, stamp: Stamp, raw: bytes) -> Replayed | None:
        """Return an event, or None if it cannot be read."""
        if stamp in self._events:
            self._events.move_to_end(stamp)
            return self._events[stamp][0]
        event, size = self._read(stamp, raw), len(raw) + OVERHEAD
        self._events[stamp] = event, size
        self._size += size
        while self._size > MOST_BYTES and len(self._events) > 1:
            self._size -= self._events.popitem(last=False)[1][1]
        return event

    def _read(self, stamp: Stamp, raw: bytes) -> Replayed | None:
        try:
            message = self._codec.message(raw)
        except EnvelopeError as exc:
            logger.warning("event %d of the history is refused: %s", stamp.number, exc)
            return None
        if not isinstance(message, Recorded):
            return None
        event = message.event
        encoded = Encoded(event.parts, event.text)
        return Replayed(message, self._fanout.missed(encoded, event.rooms, stamp))
