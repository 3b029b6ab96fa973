"""``Publisher``: publishes this node's stream of numbered envelopes, and its notices."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.envelope import Codec, Header, SenderClock
from socketio_cluster.manager.bus.link import Link
from socketio_cluster.manager.bus.messages import Dropped, Emit, Message, Notice
from socketio_cluster.manager.bus.outgoing import Outgoing
from socketio_cluster.manager.bus.window import MOST
from socketio_cluster.manager.errors import BrokerError, EventTooLarge
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.manager")

AROUND: Final = 1024
"""Bytes that an envelope adds to an event, together with the answer that may repeat it."""
REFUSALS_KEPT: Final = 1000
"""The number of refused envelopes that are remembered, for emitters that wait for them."""

STAMPS: Final = 2000
"""The number of notices whose time is remembered. Those to all nodes come back within a few heartbeats."""

OnRecorded = Callable[[bytes, tuple[Header, Any], tuple[str, ...]], None]
"""A function that gets an envelope, its header and its message, and its channels."""


class Publisher:
    """Numbers, signs and keeps envelopes, and wakes the link.

    Args:
        origin: this node's id.
        codec: packs the envelopes.
        outgoing: the queue in which envelopes wait for the link.
        link: the link to the bus. With None nothing is published.
        stats: the counters.
    """

    __slots__ = (
        "_clock",
        "_codec",
        "_link",
        "_origin",
        "_outgoing",
        "_refusals",
        "_stamp",
        "_stats",
        "_warned",
        "backlog",
        "number",
        "on_recorded",
        "said",
    )

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
        """The number of the newest envelope."""
        self.said: deque[float] = deque(maxlen=STAMPS)
        """The times in the headers of the latest notices."""
        self._stamp = 0.0
        self._warned = False
        self._refusals: dict[int, str] = {}
        self.on_recorded: OnRecorded | None = None
        """Is told of each envelope that the bus is to number."""

    def post(self, message: Message, channels: tuple[str, ...], recorded: tuple[str, ...] = ()) -> int:
        """Publish a message to channels, in the order of the calls, and return its number.

        The bus keeps it in the history of the channels ``recorded``.

        It is sent soon, or when the bus is back. It may be dropped if the buffer is full or the bus refuses
        it. Returns 0, and publishes nothing, without a bus. Raises ``EventTooLarge`` for a message that the
        bus or the buffer cannot hold, and what msgspec raises for one that it cannot pack.

        ``native/posting.h`` does the same for most emits, with what ``Backlog.add``, ``Batches.wake`` and
        ``SenderClock.read`` do: change both.
        """
        if self._link is None:
            return 0
        now = time.monotonic()
        header, raw = self._pack(self.number + 1, message, now)
        if len(raw) > self.backlog.max_bytes or len(raw) > self._outgoing.limit:
            raise self.too_large(len(raw))
        self.number += 1
        if recorded and self.on_recorded is not None:
            self.on_recorded(raw, (header, message), channels)
        dropped = self.backlog.add(Entry(self.number, now, channels, raw, recorded))
        if dropped:
            self._count(dropped)
        self._stats.published[type(message).__name__] += 1
        self._link.wake()
        return self.number

    def posting_parts(self) -> dict[str, Any]:
        """Return the objects with which ``native/_emit.c`` posts, by the names that they have there."""
        assert self._link is not None
        codec = self._codec
        return {
            "publisher": self,
            "origin": self._origin,
            "codec": codec,
            "pack": codec.pack if codec.signs else None,
            "queue": self._outgoing,
            "window": self._outgoing.window,
            "backlog": self.backlog,
            "clock": self._clock,
            "batches": self._link.batches,
        }

    def notice(self, message: Notice, *channels: str, comes_back: bool = True) -> None:
        """Publish a notice before the waiting envelopes. It is lost if the bus is away. See ``packed``."""
        if self._link is not None and self._link.up:
            self._outgoing.notice(self.packed(message, *channels, comes_back=comes_back))
            self._link.wake()

    def packed(self, message: Notice, *channels: str, comes_back: bool = False) -> Publication:
        """Return a notice in its envelope. ``comes_back`` is set if this node itself may get it."""
        self._stats.published[type(message).__name__] += 1
        publication = Publication(channels, self._pack(0, message, time.monotonic())[1])
        if comes_back:
            self.said.append(self._stamp)
        return publication

    def asked(self) -> None:
        """Tell the link that there is an answer to send."""
        self._outgoing.asked()
        self.wake()

    def wake(self) -> None:
        """Tell the link that there is something to send."""
        if self._link is not None:
            self._link.wake()

    @property
    def largest(self) -> int:
        """The most bytes of an envelope that the buffer and the bus can hold, as far as that is known."""
        limit = self.backlog.max_bytes
        return min(limit, self._outgoing.limit) if self._link is not None else limit

    def fits(self, size: int) -> bool:
        """Whether an event of so many bytes can be posted."""
        return self._link is None or size + AROUND <= self.largest

    def too_large(self, size: int) -> EventTooLarge:
        """Return the error for an event of so many bytes. It says what the limit is."""
        bound = "buffer_bytes" if self.largest == self.backlog.max_bytes else "what the bus takes"
        return EventTooLarge(f"{size} bytes are more than {bound} ({self.largest}): nothing was sent")

    @property
    def up(self) -> bool:
        """Whether the bus is reached."""
        return self._link is not None and self._link.up

    @property
    def crowded(self) -> bool:
        """Whether so many envelopes wait that emits have to wait."""
        return self._outgoing.room <= 0

    @property
    def full(self) -> bool:
        """Whether so many envelopes wait that the bus is behind. Volatile events are dropped then."""
        return self.backlog.unsent > MOST

    @property
    def errors(self) -> int:
        """How many batches the bus did not take. They are sent again when it is back."""
        return self._link.publish_errors if self._link is not None else 0

    async def wait_for_room(self) -> None:
        """Wait while the bus is reached and crowded. Cancelling is safe."""
        if self._link is not None:
            await self._link.waiters.wait()

    async def sent(self, number: int) -> bool:
        """Return True when the bus has the envelope with this number, or False if it was dropped.

        Raises ``BrokerError`` if the bus has refused it. Cancelling is safe and does not withdraw the
        envelope.
        """
        while self._link is not None and self.backlog.awaits(number):
            await self._link.drained()
        if number in self._refusals:
            raise BrokerError(f"the bus did not take it: {self._refusals[number]}")
        return self._link is None or self.backlog.reached >= number

    async def told(self) -> None:
        """Return when the bus has every notice so far, or when the bus is lost."""
        noticed = self._outgoing.noticed
        while self._link is not None and self._outgoing.told < noticed:
            await self._link.drained()

    def time(self) -> float:
        """Return the time for an envelope's header: epoch seconds that never go back."""
        return self._clock.read(time.time(), time.monotonic())

    def refused(self, entry: Entry, why: str) -> Message:
        """Count and log an envelope that the bus never takes, and return its message."""
        message = self._codec.message(entry.payload)
        self._stats.dropped += 1
        self.backlog.losses.add(entry.recorded)
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
        """Drop the envelopes that have waited for too long. Tell of those that the bus was to keep."""
        self._count(self.backlog.expire(now))
        if self.up and (lost := self.backlog.losses.take()):
            self.post(Dropped(lost), (Channels.everyone_beside(lost[0]),), lost)
        if self._link is not None and self._link.up and not self.backlog.unsent:
            self._warned = False  # The bus is back and has everything, so the next outage is logged again.

    def _pack(self, number: int, message: Message, now: float) -> tuple[Header, bytes]:
        self._stamp = self._clock.read(time.time(), now)
        header = Header(self._origin, number, self._stamp)
        return header, self._codec.pack(header, message)

    def _count(self, dropped: int) -> None:
        if dropped == 0:
            return
        self._stats.dropped += dropped
        if not self._warned:
            self._warned = True
            logger.error("the bus is away and the buffer is full: dropping the oldest envelopes")


def _name(message: Message) -> str:
    """Return the kind of a message, and for an event in the JSON format its name too."""
    kind = type(message).__name__
    if not isinstance(message, Emit) or not message.text or not message.parts:
        return kind
    found = re.search(rb'\["((?:[^"\\]|\\.){1,64})', message.parts[0][:1000])
    return f"{kind} {found[1].decode(errors='replace')!r}" if found else kind
