"""What this node publishes: one numbered stream of envelopes, and notices beside it."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from typing import Final

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.envelope import Codec, Header, SenderClock
from socketio_cluster.manager.bus.link import Link
from socketio_cluster.manager.bus.messages import Emit, Message, Notice
from socketio_cluster.manager.bus.outgoing import Outgoing
from socketio_cluster.manager.errors import BrokerError, EventTooLarge
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.manager")

HIGH_WATER: Final = 2000
"""Unsent envelopes above which emits wait for the bus, so that a flood slows its source."""

AROUND: Final = 1024
"""Bytes that an envelope, and the answer that may bring it once more, add to an event."""
REFUSALS_KEPT: Final = 1000
"""Refused envelopes whose number is remembered for the emitter that waits for it."""

STAMPS: Final = 2000
"""Notices whose time is remembered; those to everybody come back within a few heartbeats."""


class Publisher:
    """Numbers, signs and keeps envelopes, and wakes the link.

    Args:
        origin: this node's id.
        codec: makes the bytes.
        outgoing: where they wait for the link.
        link: the way to the bus; None publishes nothing.
        stats: where to count.
    """

    def __init__(
        self, origin: str, codec: Codec, outgoing: Outgoing, link: Link | None, stats: Stats
    ) -> None:
        self.backlog = outgoing.backlog
        self._origin = origin
        self._codec = codec
        self._link = link
        self._outgoing = outgoing
        self._clock = SenderClock()
        self._stats = stats
        self.number = 0
        """Number of the newest envelope."""
        self.said: deque[float] = deque(maxlen=STAMPS)
        """When the latest notices were sent, as their headers say."""
        self._stamp = 0.0
        self._warned = False
        self._refusals: dict[int, str] = {}

    def post(self, message: Message, channels: tuple[str, ...]) -> int:
        """Publish a message to channels, in the order of the calls; returns its number.

        It goes out at once, or when the bus is back. Raises ``EventTooLarge`` for one that the bus or the
        buffer cannot hold, and what msgspec raises for one it cannot pack.
        """
        if self._link is None:
            return 0
        raw = self._pack(self.number + 1, message)
        if len(raw) > self.largest:
            raise self.too_large(len(raw))
        self.number += 1
        self._count(self.backlog.add(Entry(self.number, time.monotonic(), channels, raw)))
        self._stats.published[type(message).__name__] += 1
        self._link.wake()
        return self.number

    def notice(self, message: Notice, *channels: str) -> None:
        """Publish a notice, before what waits; it is lost when the bus is away."""
        if self._link is not None and self._link.up:
            self._outgoing.notice(self.packed(message, *channels, comes_back=True))
            self._link.wake()

    def packed(self, message: Notice, *channels: str, comes_back: bool = False) -> Publication:
        """Give a notice in its envelope; ``comes_back``: this node itself may hear it."""
        self._stats.published[type(message).__name__] += 1
        publication = Publication(channels, self._pack(0, message))
        if comes_back:
            self.said.append(self._stamp)
        return publication

    def wake(self) -> None:
        """Have the link look for something to send."""
        if self._link is not None:
            self._link.wake()

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

    async def wait_for_capacity(self) -> None:
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

    async def told(self) -> None:
        """Return when the bus has every notice so far, or is lost."""
        noticed = self._outgoing.noticed
        while self._link is not None and self._outgoing.told < noticed:
            await self._link.drained()

    def time(self) -> float:
        """What this node would write on an envelope now: epoch seconds that only ever grow."""
        return self._clock.read(time.time(), time.monotonic())

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

    def _pack(self, number: int, message: Message) -> bytes:
        self._stamp = self.time()
        return self._codec.pack(Header(self._origin, number, self._stamp), message)

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
