"""Decides when lanes write: everything that waits for a client leaves in one write.

The first event after a pause leaves in the same turn of the loop. After a flush the flusher waits for as long
as that flush took. So an idle node adds no delay, and a busy node turns many events into one write for each
client. A flush of very many clients gives the loop a turn in between.

A flush of a few clients may take long because another process has the processor. To wait as long again would
gather next to nothing and more than double the delay, as uvloop's timers count in milliseconds. So the pause
depends on the number of clients too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import perf_counter
from typing import Final, Protocol

log = logging.getLogger("socketio_cluster.cluster")

SLICE: Final = 20
"""The least lanes that are flushed before the loop gets a turn: at 5 µs a write this takes 0.1 ms.

In a flood more events come in these turns, which share a write. With 200 an emit to a pair cost a third more.
"""
TURNS: Final = 25
"""The turns of the loop that a flush takes at most, however many lanes it has."""
LONGEST_PAUSE: Final = 0.02
"""Seconds between two flushes at most; people would feel a longer pause."""
SLOW_WRITE: Final = 15e-6
"""Seconds that the pause may last for each lane of the flush: three times what a write usually takes."""


class Writes(Protocol):
    """The part of a lane that the flusher calls."""

    def flush(self) -> None:
        """Write the frames that wait."""


def flush_each(lanes: list[Writes]) -> None:
    """Write what waits for these lanes. ``_write.c`` does the same, with ``LaneWriter.flush``, in C."""
    for lane in lanes:
        try:
            lane.flush()
        except Exception as error:  # the others must get theirs, in this flush and in all later ones
            failed(error)


def failed(error: Exception) -> None:
    """Log that a lane could not be flushed."""
    log.error("what waits for a client could not be written", exc_info=error)


class Flusher:
    """The lanes of one loop that have something to write."""

    __slots__ = ("_dirty", "_loop", "_not_before", "add", "flush")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._dirty: list[Writes] = []
        self._not_before = 0.0
        self.add: Callable[[Writes], None] = self._add_first
        """Flushes a lane soon. The caller must not add it again before it was flushed.

        It is the ``append`` of a list once a flush is due: every delivery calls it.
        """
        self.flush: Callable[[list[Writes]], None] = flush_each
        """Writes what waits for some lanes; ``compiled.py`` puts the way in C in its place."""

    def _add_first(self, lane: Writes) -> None:
        self._dirty.append(lane)
        self.add = self._dirty.append
        pause = self._not_before - perf_counter()
        if pause > 0:
            self._loop.call_later(pause, self._flush)
        else:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Flush the lanes that wait."""
        lanes, self._dirty = self._dirty, []
        self.add = self._dirty.append
        self._flush_from(lanes, 0, 0.0)

    def _flush_from(self, lanes: list[Writes], at: int, spent: float) -> None:
        """Flush the next of these lanes, in a flush that has taken so many seconds until now."""
        began = perf_counter()
        upto = at + max(SLICE, len(lanes) // TURNS + 1)
        self.flush(lanes[at:upto])
        now = perf_counter()
        spent += now - began
        if upto < len(lanes):
            self._loop.call_soon(self._flush_from, lanes, upto, spent)
            return
        self._not_before = now + min(spent, SLOW_WRITE * len(lanes), LONGEST_PAUSE)
        self.add = self._add_first
        if self._dirty:
            self._add_first(self._dirty.pop())
