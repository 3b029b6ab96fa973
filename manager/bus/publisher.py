"""What this node publishes: one numbered stream of envelopes, on its way to the bus."""

from __future__ import annotations

import logging
import re
import time
from typing import Final

from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.link import Link
from socketio_cluster.manager.bus.messages import Emit, Message
from socketio_cluster.manager.errors import BrokerError, EventTooLarge
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.manager")

HIGH_WATER: Final = 2000
"""Unsent envelopes above which emits wait for the bus, so that a flood slows its source."""

AROUND: Final = 1024
"""Bytes that an envelope, and the replay that may bring it once more, add to an event."""
REFUSALS_KEPT: Final = 1000
"""Refused envelopes whose number is remembered for the emitter that waits for it."""


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
        self.stamp = 0.0
        """When the newest envelope was made, in epoch seconds, as its header says."""
        self._warned = False
        self._refusals: dict[int, str] = {}

    def post(self, message: Message, channels: tuple[str, ...], *, keep: bool = True) -> int:
        """Publish a message to channels, in the order of the calls; returns its number.

        It goes out at once, or when the bus is back. ``keep=False`` is for what need not be repeated.
        Raises ``EventTooLarge`` for one that the bus or the buffer cannot hold, and what msgspec raises for
        one it cannot pack.
        """
        if self._link is None:
            return 0
        sent = time.time()
        raw = self._codec.pack(Header(self._origin, self._number + 1, sent), message)
        if len(raw) > self.largest:
            raise self.too_large(len(raw))
        self._number += 1
        self.stamp = sent
        self._count(self.backlog.add(Entry(self._number, time.monotonic(), channels, raw, keep)))
        self._stats.published[type(message).__name__] += 1
        self._link.wake()
        return self._number

    @property
    def largest(self) -> int:
        """Bytes of an envelope that the buffer can hold and, as far as is known, the bus."""
        limit = self.backlog.max_bytes
        return min(limit, self._link.limit) if self._link is not None else limit

    def fits(self, size: int) -> bool:
        """Whether an event of so many bytes can be posted."""
        return self._link is None or size + AROUND <= self.largest

    def too_large(self, size: int) -> EventTooLarge:
        """Make the error that says what the bound is."""
        bound = "buffer_bytes" if self.largest == self.backlog.max_bytes else "what the bus takes"
        return EventTooLarge(f"{size} bytes are more than {bound} ({self.largest}): nothing was sent")

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
        """Return when the bus has the envelope with this number; False when it was dropped instead.

        Raises ``BrokerError`` when the bus would not take it.
        """
        while self._link is not None and self.backlog.awaits(number):
            await self._link.drained()
        if number in self._refusals:
            raise BrokerError(f"the bus did not take it: {self._refusals[number]}")
        return self._link is None or self.backlog.reached >= number

    def refused(self, entry: Entry, why: str) -> Message:
        """Count and name what the bus will never take; gives the message."""
        message = self._codec.message(entry.payload)
        self._stats.dropped += 1
        self._refusals[entry.number] = why
        while len(self._refusals) > REFUSALS_KEPT:
            del self._refusals[next(iter(self._refusals))]
        logger.error(
            "dropped %s of %d bytes to %s, which the bus will not take: %s",
            _name(message),
            len(entry.payload),
            ", ".join(entry.channels[:3]) + (" …" if len(entry.channels) > 3 else ""),
            why,
        )
        return message

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


def _name(message: Message) -> str:
    """What kind of message it is; of an event its name too, where the packet is JSON."""
    kind = type(message).__name__
    if not isinstance(message, Emit) or not message.text or not message.parts:
        return kind
    found = re.search(rb'\["((?:[^"\\]|\\.){1,64})', message.parts[0][:1000])
    return f"{kind} {found[1].decode(errors='replace')!r}" if found else kind
