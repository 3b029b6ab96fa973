"""What this node publishes: one numbered stream of envelopes, on its way to the bus."""

from __future__ import annotations

import logging
import time
from typing import Final

from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.link import Link
from socketio_cluster.manager.bus.messages import Message
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.manager")

HIGH_WATER: Final = 2000
"""Unsent envelopes above which emits wait for the bus, so that a flood slows its source."""


class Publisher:
    """Numbers, signs and keeps envelopes, and wakes the link.

    Args:
        origin: this node's id.
        codec: makes the bytes.
        backlog: where they are kept.
        link: the way to the bus; None publishes nothing.
        stats: where to count.
    """

    def __init__(self, origin: str, codec: Codec, backlog: Backlog, link: Link | None, stats: Stats) -> None:
        self.backlog = backlog
        self._origin = origin
        self._codec = codec
        self._link = link
        self._stats = stats
        self._number = 0
        self._warned = False

    def post(self, message: Message, channels: tuple[str, ...], *, keep: bool = True) -> int:
        """Publish a message to channels, in the order of the calls; returns its number.

        It goes out at once, or when the bus is back. ``keep=False`` is for what need not be repeated.
        Raises what msgspec raises for a message it cannot pack.
        """
        if self._link is None:
            return 0
        raw = self._codec.pack(Header(self._origin, self._number + 1, time.time()), message)
        self._number += 1
        self._count(self.backlog.add(Entry(self._number, time.monotonic(), channels, raw, keep)))
        self._stats.published[type(message).__name__] += 1
        self._link.wake()
        return self._number

    @property
    def full(self) -> bool:
        """Whether the bus does not keep up with what is posted."""
        return self.backlog.unsent > HIGH_WATER

    @property
    def errors(self) -> int:
        """Batches that the bus did not take; they are sent again when it is back."""
        return self._link.publish_errors if self._link is not None else 0

    async def room(self) -> None:
        """Wait while the bus is there and cannot keep up with what is posted."""
        while self._link is not None and self._link.up and self.full:
            await self._link.drained()

    async def sent(self, number: int) -> bool:
        """Return when the bus has the envelope with this number; False when it was dropped instead."""
        while self._link is not None and self.backlog.awaits(number):
            await self._link.drained()
        return self._link is None or self.backlog.reached >= number

    def expire(self, now: float) -> None:
        """Let go what waited too long."""
        self._count(self.backlog.expire(now))
        if self._link is not None and self._link.up and not self.backlog.unsent:
            self._warned = False  # the bus is back and has it all: its next absence is another one

    def _count(self, dropped: int) -> None:
        if dropped == 0:
            return
        self._stats.dropped += dropped
        if not self._warned:
            self._warned = True
            logger.error("the bus is away and the buffer is full: dropping the oldest envelopes")
