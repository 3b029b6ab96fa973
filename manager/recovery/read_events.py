"""``ReadEvents``: events of the history as they were read for one client, for the next that missed them."""

from __future__ import annotations

import logging
from typing import Final, NamedTuple

from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Dropped, Recorded
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.recovery.marking import Marked, MarkingFanout

logger = logging.getLogger("socketio_cluster.manager")

MOST_BYTES: Final = 4 * 1024 * 1024
"""When more was read, all is forgotten, and read anew."""


class TooLate(Exception):
    """The history does not have all that a client has missed."""


class ReadEvent(NamedTuple):
    """An event of the history: whom it is for, and as clients get it."""

    message: Recorded
    marked: Marked


class ReadEvents:
    """Reads events once for many clients.

    When a node has died its clients come back at the same time, and most have missed the same events. Numbers
    tell the events of a cluster apart.

    Args:
        codec: reads envelopes.
        fanout: adds offsets.
    """

    def __init__(self, codec: Codec, fanout: MarkingFanout) -> None:
        self._codec = codec
        self._fanout = fanout
        self._events: dict[int, ReadEvent] = {}
        self._size = 0

    def read(self, number: int, raw: bytes) -> ReadEvent | None:
        """Return an event, or None for what is none, which is logged.

        Raises ``TooLate`` in the place of events that were dropped.
        """
        known = self._events.get(number)
        if known is None:
            known = self._new(number, raw)
        return known

    def forget(self) -> None:
        """Forget all events."""
        self._events.clear()
        self._size = 0

    def _new(self, number: int, raw: bytes) -> ReadEvent | None:
        try:
            message = self._codec.message(raw)
        except EnvelopeError as exc:
            logger.warning("event %d of the history is refused: %s", number, exc)
            return None
        if isinstance(message, Dropped):
            raise TooLate
        if not isinstance(message, Recorded):
            return None
        event = message.event
        marked = self._fanout.marked(Encoded(event.parts, event.text), event.rooms, number)
        if self._size > MOST_BYTES:
            self.forget()
        self._size += len(raw)
        self._events[number] = read = ReadEvent(message, marked)
        return read
