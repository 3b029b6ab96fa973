"""``Streams``: how far this node has heard each sender. It detects repeats, gaps and old envelopes.

This is pure book-keeping; ``now`` is this node's monotonic clock in seconds. A *stream* is the envelopes of
one sender, which are numbered without gaps. The bus keeps a sender's order, so a number that is not above the
last one is a repeat. After a cut every stream is *behind*, and after a long silence that of the sender, until
it is known that nothing of it was missed or until the missed envelopes have come. Live messages that arrive
meanwhile are held, up to a bound.

Envelopes that somebody has recorded on the bus and publishes again do no harm. An envelope has a number that
was seen, and a notice was sent before a later one that was heard. For that, each sender's last number must be
known for longer than any node keeps envelopes, even after its goodbye. An envelope of an unknown sender is
accepted if the clocks of both differ by at most an hour.
"""

from __future__ import annotations

from math import inf
from typing import Any, Final

from socketio_cluster.manager.bus.envelope import Header
from socketio_cluster.manager.bus.messages import Message, Offer
from socketio_cluster.manager.bus.stream import RATE, UNKNOWN, Held, Stream
from socketio_cluster.manager.errors import EnvelopeError

CLOCKS_APART: Final = 3600.0
"""The most seconds by which the clocks of two machines may differ."""
HELD_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of held messages, of all senders together.

Messages that find no place are asked for later.
"""
OVERHEAD: Final = 200
"""Bytes of memory that an empty message takes."""


class Streams:
    """The senders that this node has heard.

    Args:
        dead_after: after so many seconds of silence nothing is expected of a sender any more.
        forget_after: after so many seconds an envelope is too old. This must be longer than any node keeps
            envelopes, or an envelope that is sent again could pass for a new one.
    """

    def __init__(self, dead_after: float, forget_after: float) -> None:
        self._dead_after = dead_after
        self._forget_after = forget_after
        self._streams: dict[str, Stream] = {}
        self._was_cut = False
        self._held_bytes = 0

    def seen(self, origin: str) -> int:
        """Return the last number of a sender."""
        return self._streams[origin].seen

    def take(self, header: Header, message: Message, size: int, now: float, wall: float) -> bool:
        """Note an envelope of a stream. Returns False if it is a repeat or is held.

        ``wall`` is the time in epoch seconds. Raises ``EnvelopeError`` for an envelope that is too old, and
        for a number that its sender cannot have reached.
        """
        stream = self._streams.get(header.origin)
        if stream is None:
            stream = self._meet(header, now, wall)
        elif now - header.sent - stream.clock > self._forget_after:
            raise _too_old(header)
        number = header.number
        if stream.top < number <= stream.top + RATE:  # as in `climb`; a call would cost too much here
            stream.top, stream.top_at = number, now
        elif number > stream.top:
            stream.climb(number, now)
        if stream.seen == UNKNOWN:
            self._place(stream, number - 1)
        if number <= stream.seen:
            return False
        if now - stream.heard > self._dead_after:  # as in `_hear`; a call would cost too much here
            stream.behind = True
        stream.heard = now
        if stream.behind:
            self._hold(stream, Held(header.number, message, size + OVERHEAD))
            return False
        stream.seen = number
        return True

    def note(self, header: Header, now: float, wall: float) -> None:
        """Note an envelope whose order and repeats the bus itself tells, so that it is not asked for.

        Raises ``EnvelopeError`` as ``take``.
        """
        stream = self._streams.get(header.origin)
        if stream is None:
            stream = self._meet(header, now, wall)
        number = header.number
        if stream.top < number <= stream.top + RATE:  # as in `take`
            stream.top, stream.top_at = number, now
        else:
            stream.climb(number, now)
        if stream.seen == UNKNOWN:
            self._place(stream, number - 1)
        stream.heard = now
        if not stream.behind and stream.seen < number:
            stream.seen = number

    def notice(self, header: Header, now: float, wall: float) -> bool:
        """Note a notice. Returns False if it is not newer than the last notice of its sender.

        A notice is made just before it is sent, so it tells the sender's clock. Raises ``EnvelopeError`` for
        a notice that is too old.
        """
        stream = self._streams.get(header.origin)
        if stream is None:
            stream = self._meet(header, now, wall)
        elif header.sent <= stream.said:
            return False
        # A sender that was silent may have been suspended together with its machine and its clock.
        elif now - header.sent - stream.clock > self._forget_after and not self._is_silent(stream, now):
            raise _too_old(header)
        stream.said = header.sent
        stream.clock = now - header.sent
        stream.late(header.sent, now)
        self._hear(stream, now)
        return True

    def __len__(self) -> int:
        """How many senders were heard lately."""
        return len(self._streams)

    def knows(self, origin: str) -> bool:
        """Whether this sender was heard."""
        return origin in self._streams

    def late(self, header: Header, now: float) -> float:
        """Return by how many seconds the newest envelope of a sender is late. Any other one is not."""
        stream = self._streams.get(header.origin)
        if stream is None or header.number != stream.top:
            return 0.0
        return stream.late(header.sent, now)

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_hear.c`` works with, by the names there. It does as ``take`` and ``note``."""
        bounds = {"rate": RATE, "dead_after": self._dead_after, "forget_after": self._forget_after}
        return {**bounds, "streams": self._streams, "stream": Stream}

    def cut(self, now: float) -> None:
        """Note that this node was cut off and is back. All senders are behind, and none counts as silent."""
        self._was_cut = True
        for stream in self._streams.values():
            stream.behind = not stream.left
            stream.nearest = stream.nearest_before = inf  # Another server may be further away.
            self._drop_held(stream)
        self.grace(now)

    def offered(self, origin: str, offer: Offer, *, again: bool, needed: bool) -> bool:
        """Compare an offer with the last number. Returns False if envelopes may have been missed.

        ``again`` tells that the sender has just come to the bus and may have dropped envelopes meanwhile.
        ``needed`` tells that this node needs one of the channels in the offer. Raises ``EnvelopeError`` for a
        number that the sender cannot have reached.
        """
        stream = self._streams[origin]
        stream.climb(offer.upto, stream.heard)
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
        """Note an envelope inside an answer. Returns False for a repeat."""
        stream = self._streams[origin]
        if number <= stream.seen:
            return False
        stream.seen = number
        return True

    def reach(self, origin: str, number: int) -> None:
        """Note that everything of this sender up to this number has come."""
        stream = self._streams[origin]
        stream.seen = max(stream.seen, number)

    def release(self, origin: str) -> list[Message]:
        """Remove and return the held messages, as everything in front of them has come.

        The stream is not behind any more, unless some messages were not held.
        """
        stream = self._streams[origin]
        due = [held for held in stream.held if held.number > stream.seen]
        if due:
            stream.seen = due[-1].number
        stream.behind = stream.full
        self._drop_held(stream)
        return [held.message for held in due]

    def leave(self, origin: str) -> None:
        """Note a goodbye. The last number stays known, but the sender is not asked any more."""
        self._streams[origin].left = True

    def behind(self) -> list[str]:
        """Return the senders of which envelopes may be missing, and which can be asked."""
        return [origin for origin, stream in self._streams.items() if stream.behind]

    def is_behind(self, origin: str) -> bool:
        """Whether envelopes of this sender may be missing.

        They may be if this node was cut off before it heard the first number of the sender.
        """
        stream = self._streams.get(origin)
        return stream is not None and (stream.behind or (self._was_cut and stream.seen == UNKNOWN))

    def holds(self, origin: str) -> bool:
        """Whether live messages of this sender are held."""
        return bool(self._streams[origin].held)

    def silent(self, origin: str, now: float) -> bool:
        """Whether this sender was not heard for too long."""
        return self.silence(origin, now) > self._dead_after

    def silence(self, origin: str, now: float) -> float:
        """Return for how many seconds a sender was not heard; infinity for one that is not known."""
        stream = self._streams.get(origin)
        return float("inf") if stream is None else now - stream.heard

    def grace(self, now: float) -> None:
        """Start the silence of all senders again, because this node could not hear them."""
        for stream in self._streams.values():
            stream.heard = now

    def expire(self, now: float) -> None:
        """Forget the senders whose envelopes are all too old by now."""
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
        """Set the last number of a sender that was not heard before.

        If this node was cut off, the sender may have started meanwhile, and its first envelopes were missed.
        """
        stream.behind = self._was_cut and before > 0
        stream.seen = 0 if stream.behind else before

    def _hear(self, stream: Stream, now: float) -> None:
        """Note that a sender was heard.

        After a long silence it is behind: if something between the two nodes was broken, such as the route
        between two servers of the bus, neither of them was cut off from its own server.
        """
        stream.behind |= self._is_silent(stream, now)
        stream.heard = now

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
