"""How far this node has heard each sender: repeats, what was missed, what is too old.

Pure book-keeping: ``now`` is this node's monotonic clock, in seconds. A *stream* is what one sender
publishes, numbered without gaps; because the bus keeps a sender's order, a number not above the last one
seen is a repeat. After a cut every stream is *behind* until it is known that nothing of it was missed, or
what was missed has come; what arrives meanwhile is held, up to a bound.

What was recorded on the bus and is published again does no harm: it has a number that was seen, or, if it
has none, was sent before something that was heard since. That needs each sender's last number for longer
than anybody keeps envelopes, whatever it said last, a goodbye included. An envelope of a sender that is
not known is believed when the clocks of both differ by an hour at most.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from socketio_cluster.manager.bus.envelope import Header
from socketio_cluster.manager.bus.messages import Message, Offer
from socketio_cluster.manager.errors import EnvelopeError

CLOCKS_APART: Final = 3600.0
"""Seconds between the clocks of two machines."""
HELD_BYTES: Final = 4 * 1024 * 1024
"""Of what all senders together publish while they are asked for what was missed; more is asked for too."""
OVERHEAD: Final = 200
"""Bytes of memory that an empty message takes."""
RATE: Final = 1_000_000
"""Envelopes a second, more than any node publishes: a number further on than that allows is made up."""
UNKNOWN: Final = -1
"""In place of a last number: nothing of the stream was heard yet."""


@dataclass(slots=True)
class Held:
    """A live message that waits for what was missed before it."""

    number: int
    message: Message
    size: int


@dataclass(slots=True)
class Stream:
    """How far a sender was heard.

    ``seen``: its last number, or ``UNKNOWN``. ``heard``: when it was last heard. ``said``: when it sent its
    last notice, by its own clock. ``clock``: how far this node's clock is before its clock. ``left``: it has
    said goodbye. ``behind``: something may have been missed. ``held``: what came since.
    ``full``: some of what came live was not held. ``top``: the highest number named; ``top_at``: when.
    """

    seen: int
    heard: float
    clock: float
    said: float = 0.0
    left: bool = False
    behind: bool = False
    full: bool = False
    held: deque[Held] = field(default_factory=deque)
    top: int = UNKNOWN
    top_at: float = 0.0


class Streams:
    """The senders this node has heard.

    Args:
        dead_after: seconds of silence after which nothing is expected of a sender.
        forget_after: seconds after which an envelope is too old for anybody; longer than anybody keeps one,
            or what is sent again could pass for new.
    """

    def __init__(self, dead_after: float, forget_after: float) -> None:
        self._dead_after = dead_after
        self._forget_after = forget_after
        self._streams: dict[str, Stream] = {}
        self._was_cut = False
        self._held_bytes = 0

    def seen(self, origin: str) -> int:
        """The last number of a sender."""
        return self._streams[origin].seen

    def take(self, header: Header, message: Message, size: int, now: float, wall: float) -> bool:
        """Note an envelope of a stream; False for a repeat, or one that is held.

        ``wall``: the time in epoch seconds. Raises ``EnvelopeError`` for one that is too old, or has a number
        that its sender cannot have reached.
        """
        stream = self._streams.get(header.origin)
        if stream is None:
            stream = self._meet(header, now, wall)
        elif now - header.sent - stream.clock > self._forget_after:
            raise _too_old(header)
        self._climb(stream, header.number, now)
        if stream.seen == UNKNOWN:
            self._place(stream, header.number - 1)
        if header.number <= stream.seen:
            return False
        stream.heard = now
        if stream.behind:
            self._hold(stream, Held(header.number, message, size + OVERHEAD))
            return False
        stream.seen = header.number
        return True

    def notice(self, header: Header, now: float, wall: float) -> bool:
        """Note an envelope outside the stream; False for one that came before, or is older than one that did.

        It was made just before it was sent, so it tells the sender's clock. Raises ``EnvelopeError`` for one
        that is too old.
        """
        stream = self._streams.get(header.origin)
        if stream is None:
            stream = self._meet(header, now, wall)
        elif header.sent <= stream.said:
            return False
        # A sender that was silent may have stood still, with its machine and its clock.
        elif now - header.sent - stream.clock > self._forget_after and not self._is_silent(stream, now):
            raise _too_old(header)
        stream.said = header.sent
        stream.clock = now - header.sent
        stream.heard = now
        return True

    def cut(self, now: float) -> None:
        """Note that this node was cut off and is back: everybody is behind, and nobody is silent yet."""
        self._was_cut = True
        for stream in self._streams.values():
            stream.behind = not stream.left
            self._drop_held(stream)
        self.grace(now)

    def offered(self, origin: str, offer: Offer, *, again: bool, needed: bool) -> bool:
        """Compare an offer with what was seen; False when something may have been missed.

        ``again``: the sender has just come to the bus, and may have dropped what it could not publish.
        ``needed``: this node takes one of the channels in the offer. Raises ``EnvelopeError`` for a number
        that the sender cannot have reached.
        """
        stream = self._streams[origin]
        self._climb(stream, offer.upto, stream.heard)
        stream.left = False
        if stream.seen == UNKNOWN:
            self._place(stream, offer.upto)
        elif again:
            stream.behind = True
        if stream.behind and (stream.seen < offer.since or needed):
            return False
        self.reach(origin, offer.upto)
        return True

    def replayed(self, origin: str, number: int) -> bool:
        """Note an envelope inside an answer; False for a repeat."""
        stream = self._streams[origin]
        if number <= stream.seen:
            return False
        stream.seen = number
        return True

    def reach(self, origin: str, number: int) -> None:
        """Everything of this sender up to this number has come."""
        stream = self._streams[origin]
        stream.seen = max(stream.seen, number)

    def release(self, origin: str) -> list[Message]:
        """What was held and is due now that all before it has come; the stream is behind no more.

        Unless some was not held: it stays behind then.
        """
        stream = self._streams[origin]
        due = [held for held in stream.held if held.number > stream.seen]
        if due:
            stream.seen = due[-1].number
        stream.behind = stream.full
        self._drop_held(stream)
        return [held.message for held in due]

    def leave(self, origin: str) -> None:
        """Note a goodbye: the number stays known, and nobody is left to ask."""
        self._streams[origin].left = True

    def behind(self) -> list[str]:
        """The senders of whom something may be missing and who can be asked."""
        return [origin for origin, stream in self._streams.items() if stream.behind]

    def is_behind(self, origin: str) -> bool:
        """Whether something of this sender may be missing."""
        stream = self._streams.get(origin)
        return stream is not None and stream.behind

    def holds(self, origin: str) -> bool:
        """Whether live messages of this sender wait for what was missed."""
        return bool(self._streams[origin].held)

    def silent(self, origin: str, now: float) -> bool:
        """Whether nothing was heard of this sender for too long."""
        stream = self._streams.get(origin)
        return stream is None or self._is_silent(stream, now)

    def grace(self, now: float) -> None:
        """Start everybody's silence anew: this node could not hear."""
        for stream in self._streams.values():
            stream.heard = now

    def expire(self, now: float) -> None:
        """Forget the senders that nobody can know any more."""
        for origin, stream in list(self._streams.items()):
            if now - stream.heard > self._forget_after + CLOCKS_APART:
                self._drop_held(stream)
                del self._streams[origin]

    def _meet(self, header: Header, now: float, wall: float) -> Stream:
        if abs(wall - header.sent) > self._forget_after + CLOCKS_APART:
            raise EnvelopeError("old", f"the clock of {header.origin} is {wall - header.sent:+.0f} s away")
        stream = self._streams[header.origin] = Stream(UNKNOWN, now, now - header.sent)
        return stream

    def _place(self, stream: Stream, before: int) -> None:
        """Say where in a stream this node comes in.

        A sender first heard after a cut may have started during it: what it sent meanwhile was missed.
        """
        stream.behind = self._was_cut and before > 0
        stream.seen = 0 if stream.behind else before

    def _climb(self, stream: Stream, number: int, now: float) -> None:
        """Refuse a number made up to make repeats of all that follows."""
        if number <= stream.top:
            return
        if stream.top != UNKNOWN and number - stream.top > RATE * (1 + now - stream.top_at):
            raise EnvelopeError("number", f"{number}, when the last was {stream.top}")
        stream.top, stream.top_at = number, now

    def _is_silent(self, stream: Stream, now: float) -> bool:
        return now - stream.heard > self._dead_after

    def _hold(self, stream: Stream, held: Held) -> None:
        if stream.held and held.number <= stream.held[-1].number:
            return
        if stream.full or self._held_bytes + held.size > HELD_BYTES:
            stream.full = True
            return
        stream.held.append(held)
        self._held_bytes += held.size

    def _drop_held(self, stream: Stream) -> None:
        self._held_bytes -= sum(held.size for held in stream.held)
        stream.held.clear()
        stream.full = False


def _too_old(header: Header) -> EnvelopeError:
    return EnvelopeError("old", f"sent too long ago by {header.origin}")
