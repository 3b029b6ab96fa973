"""``Receiver``: reads the envelopes from the bus, and passes on each valid message once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

from socketio_cluster.manager.bus.broker import Broker, Delivery
from socketio_cluster.manager.bus.envelope import ORIGIN_END, Codec, Header, is_notice
from socketio_cluster.manager.bus.lateness import MANY, Lateness
from socketio_cluster.manager.bus.messages import Dropped, Message, Notice, Recorded, Unknown
from socketio_cluster.manager.bus.stamp import read_stamp
from socketio_cluster.manager.bus.streams import Streams
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.manager")


Event = tuple[Header, Recorded | Dropped]
"""What the bus numbers."""


class Recorder(Protocol):
    """The part of recovery that a node tells of the bus and of numbered events."""

    @property
    def history(self) -> str:
        """The epoch of the history that keeps this node's events, or an empty text."""

    def own(self, envelope: bytes) -> Event | None:
        """Return what is in an envelope of this node itself, if it is remembered."""

    def numbered(self, epoch: str, number: int, event: Event, size: int) -> None:
        """Handle an event that the bus has numbered, or what is said of dropped ones.

        ``epoch`` and ``number`` are its stamp, ``size`` is the bytes of its envelope.
        """

    async def begin(self, broker: Broker) -> float | None:
        """Begin on a new broker, before anything is sent to it. Raises ``BrokerError``.

        If its history is another one than before, this returns when that began, by the monotonic clock, as
        far as it is known. A former server of the bus may have taken events since then, which are not in it.
        """

    def joined(self) -> None:
        """Called when the bus is reached and every subscription is in effect."""

    def parted(self) -> None:
        """Called when the bus is lost."""


class Twin:
    """Detects another node with the same id as this one.

    Two nodes have the same id if a process or a machine was copied while it ran. Each takes the other's
    envelopes for its own, so no message passes between them. ``now`` is a monotonic clock in seconds.

    Args:
        said: the times in the headers of this node's latest notices.
        dead_after: after so many seconds of silence the other node counts as gone.
    """

    def __init__(self, said: Collection[float], dead_after: float) -> None:
        self._said = said
        self._dead_after = dead_after
        self._until = 0.0

    def heard(self, node: str, sent: float, now: float) -> bool:
        """Whether a verified notice with this node's id comes from another node."""
        if sent in self._said:
            return False
        if not self.there(now):
            logger.error("another node has this one's id, %s: neither hears the other, restart both", node)
        self._until = now + self._dead_after
        return True

    def there(self, now: float) -> bool:
        """Whether another node with this id was heard recently."""
        return now < self._until


class Receiver:
    """Reads the envelopes of other nodes, and this node's own notices, which come back.

    Args:
        node: this node's id.
        codec: reads the bytes.
        streams: tells which envelopes are repeats.
        twin: tells which notices with this node's id come from another node.
        echoed: is told when each notice of this node that comes back was sent, in epoch seconds.
        stats: the counters.
        hand_over: gets each message of a stream, with its sender.
        noticed: gets each notice, with its sender.
        late: tells nodes by how many seconds they are late, see ``Lateness``.
    """

    def __init__(
        self,
        node: str,
        codec: Codec,
        streams: Streams,
        twin: Twin,
        echoed: Callable[[float], None],
        stats: Stats,
        hand_over: Callable[[str, Message], None],
        noticed: Callable[[str, Notice], None],
        late: Callable[[list[str], float], None],
    ) -> None:
        self._node = node
        self._codec = codec
        self._streams = streams
        self._twin = twin
        self._echoed = echoed
        self._stats = stats
        self._hand_over = hand_over
        self._noticed = noticed
        self._lateness = Lateness(codec, streams, late)
        self._own_heads = codec.heads(node)
        self.recorder: Recorder | None = None
        """Gets each event that the bus has numbered. Without it such events are refused."""
        self.one_way = True
        """Whether numbered events come the way of all others, so that they tell how far their sender is."""
        self.echo = 0.0
        """When this node last heard one of its own notices."""
        self.echo_sent = 0.0
        """When that notice was sent, in epoch seconds."""

    @property
    def history(self) -> str:
        """The epoch of the history that keeps this node's events, or an empty text."""
        return self.recorder.history if self.recorder is not None else ""

    def arrived(self, deliveries: list[Delivery]) -> None:
        """Handle deliveries from the bus. Never raises: errors are logged and counted.

        ``native/_hear.c`` stands before it where it is compiled, see ``hearing.py``.
        """
        now, wall = time.monotonic(), time.time()
        recorder = self.recorder
        for delivery in deliveries:
            raw = delivery.payload
            try:
                if recorder is not None and raw[:1] == b"N":
                    self._receive_numbered(recorder, raw, now, wall)
                else:
                    self._receive(raw, now, wall)
            except Exception as exc:
                self._failed(exc)
        if len(deliveries) >= MANY:
            self._look(deliveries, now)
        if self._codec.longer:
            self._stats.longer += self._codec.longer
            self._codec.longer = 0

    async def begin(self, broker: Broker) -> float | None:
        """Let recovery begin on a new broker. See ``Recorder.begin``."""
        return None if self.recorder is None else await self.recorder.begin(broker)

    def joined(self) -> None:
        """Called when the bus is reached and every subscription is in effect."""
        if self.recorder is not None:
            self.recorder.joined()

    def parted(self) -> None:
        """Called when the bus is lost."""
        if self.recorder is not None:
            self.recorder.parted()

    def replayed(self, origin: str, raw: bytes) -> bool:
        """Handle an envelope that was inside an answer of its sender. Returns False for a repeat."""
        try:
            header = self._codec.header(raw)
            message = self._codec.message(raw)
            if header.origin != origin:
                raise EnvelopeError("malformed", f"{origin} answers with an envelope of {header.origin}")
        except EnvelopeError as exc:
            self._refuse(exc)
            return False
        if not self._streams.replayed(origin, header.number):
            return False
        self.pass_on(origin, message)
        return True

    def pass_on(self, origin: str, message: Message) -> None:
        """Pass a message on. Never raises: an error is logged and counted."""
        self._stats.received[type(message).__name__] += 1
        try:
            self._hand_over(origin, message)
        except Exception as exc:
            self._failed(exc)

    def native_parts(self, kind: type[Message]) -> dict[str, Any]:
        """Return what ``native/_hear.c`` works with, to hear messages of one kind, by the names there."""
        return {
            **self._streams.native_parts(),
            **self._codec.native_parts(kind),
            "general": self.arrived,
            "failed": self._failed,
            "look": self._look,
            "many": MANY,
            "clock": time.monotonic,
            "node": self._node,
            "received": self._stats.received,
            "delivery": Delivery,
            "one_way": self.one_way,
        }

    def _look(self, deliveries: list[Delivery], now: float) -> None:
        """Look whether others are late. Never raises, as all of this was handled before."""
        try:
            self._lateness.look(deliveries, now)
        except Exception as exc:
            self._failed(exc)

    def _receive(self, raw: bytes, now: float, wall: float) -> None:
        if raw[:ORIGIN_END] in self._own_heads and not is_notice(raw):
            return  # Its own echo, which comes as often as anything else, costs no more than this.
        header = self._codec.header(raw)
        if header.origin == self._node:
            if not header.number:
                self._hear_myself(header, raw, now, wall)
            return
        message = self._codec.message(raw)
        if not header.number:
            self._notice(header, message, now, wall)
        elif self._streams.take(header, message, len(raw), now, wall):
            self._stats.received[type(message).__name__] += 1
            self._hand_over(header.origin, message)
        elif not self._streams.is_behind(header.origin):
            self._stats.repeats += 1

    def _receive_numbered(self, recorder: Recorder, raw: bytes, now: float, wall: float) -> None:
        try:
            epoch, number, raw = read_stamp(raw)
        except ValueError as exc:
            raise EnvelopeError("malformed", str(exc)) from exc
        event = recorder.own(raw) or self._read_numbered(raw, now, wall)
        recorder.numbered(epoch, number, event, len(raw))

    def _read_numbered(self, raw: bytes, now: float, wall: float) -> Event:
        header, message = self._codec.header(raw), self._codec.message(raw)
        if header.origin != self._node:
            if self.one_way:
                self._streams.note(header, now, wall)
            self._stats.received[type(message).__name__] += 1
        if not isinstance(message, (Recorded, Dropped)):
            raise EnvelopeError("malformed", f"a {type(message).__name__} with a stamp")
        return header, message

    def _notice(self, header: Header, message: Message, now: float, wall: float) -> None:
        if isinstance(message, Unknown):
            self._stats.received["Unknown"] += 1
            return
        if not isinstance(message, Notice):
            raise EnvelopeError("malformed", f"a {type(message).__name__} without a number")
        if self._streams.notice(header, now, wall):
            self._noticed(header.origin, message)
        else:
            self._stats.repeats += 1

    def _hear_myself(self, header: Header, raw: bytes, now: float, wall: float) -> None:
        self._codec.message(raw)  # This verifies it. Otherwise anybody could pretend that this node hears.
        if self._twin.heard(self._node, header.sent, now):
            return
        if header.sent > self.echo_sent:
            self.echo, self.echo_sent = now, header.sent
            self._stats.lag = max(0.0, wall - header.sent)
            self._echoed(header.sent)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, EnvelopeError):
            self._refuse(error)
        else:
            logger.error("an envelope could not be handled", exc_info=error)

    def _refuse(self, error: EnvelopeError) -> None:
        self._stats.refused[error.reason] += 1
        if self._stats.refused[error.reason] in (1, 10, 100, 1000, 10000):
            logger.warning("refused an envelope (%d so far): %s", self._stats.refused[error.reason], error)
