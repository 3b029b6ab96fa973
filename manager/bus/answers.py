"""The answers to nodes that have missed envelopes of this node's stream.

Events that the bus keeps in its history are left out: nodes read them there.

Each question is answered with one piece, which is made when the link has room for it. Then the asker asks for
the next one. So a slow asker gets only as much as it can take, a repeated question replaces the first one,
and there is at most one piece in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from socketio_cluster.manager.bus.backlog import Backlog
from socketio_cluster.manager.bus.channel_set import Holds, mark, pack_marks, reader
from socketio_cluster.manager.bus.messages import Answer, Ask, Offer
from socketio_cluster.manager.errors import EnvelopeError

PIECE_BYTES: Final = 512 * 1024
"""The most bytes of a piece, unless one envelope is larger.

Eight pieces at a time stay far below the 8 MiB above which Redis cuts off a slow subscriber.
"""
PIECE_ENTRIES: Final = 1000
"""The most envelopes of a piece, because the asker handles them in one turn of its loop."""
SCAN: Final = 5000
"""The most entries that are looked at for a piece: a few milliseconds."""
ASKERS_BYTES: Final = 16 * 1024 * 1024
"""The most bytes of waiting questions. With more a question is dropped; its asker repeats it."""
OFFER_MARKS: Final = 64
OFFER_ENTRIES: Final = 2000
"""The most channels and entries of an offer.

It goes to all nodes, so it is small. A node that needs more asks.
"""


class Answers:
    """The questions that wait for an answer, one of each asker, and the pieces that answer them.

    Args:
        backlog: this node's stream.
        most: returns the most bytes of a piece that the bus takes, which may be less than ``PIECE_BYTES``.
    """

    def __init__(self, backlog: Backlog, most: Callable[[], int] = lambda: PIECE_BYTES) -> None:
        self._backlog = backlog
        self._most = most
        self._asks: dict[str, tuple[Ask, Holds]] = {}
        self._size = 0

    def ask(self, origin: str, ask: Ask) -> None:
        """Add a question. Raises ``EnvelopeError`` for a malformed one."""
        self._forget(origin)
        if self._size + len(ask.channels) > ASKERS_BYTES:
            return
        if not ask.upto:
            ask.upto = self._backlog.handed
        try:
            self._asks[origin] = ask, reader(ask.channels)
        except ValueError as exc:
            raise EnvelopeError("malformed", str(exc)) from exc
        self._size += len(ask.channels)

    def next(self) -> tuple[str, Answer] | None:
        """Return the asker that has waited longest and a piece for it, or None if nobody waits."""
        if not self._asks:
            return None
        origin = next(iter(self._asks))
        ask, needs = self._asks[origin]
        self._forget(origin)
        return origin, self._piece(ask, needs)

    def clear(self) -> None:
        """Drop all questions, because this node is cut off. The askers ask again."""
        self._asks.clear()
        self._size = 0

    def _forget(self, origin: str) -> None:
        if origin in self._asks:
            self._size -= len(self._asks.pop(origin)[0].channels)

    def _piece(self, ask: Ask, needs: Holds) -> Answer:
        exact = ask.after >= self._backlog.floor
        piece = Answer(ask.question, [], ask.after, ask.upto, lost=0, exact=exact)
        size, most = 0, min(PIECE_BYTES, self._most())
        for scanned, entry in enumerate(self._backlog.between(ask.after, ask.upto), 1):
            needed = not entry.recorded and needs(entry.channels)
            size += len(entry.payload) if needed else 0
            if piece.envelopes and size > most:
                return piece
            if needed and entry.payload:
                piece.envelopes.append(entry.payload)
            elif needed:
                piece.lost += 1
            piece.reached = entry.number
            if len(piece.envelopes) == PIECE_ENTRIES or scanned == SCAN:
                return piece
        piece.reached = ask.upto
        return piece


def offer(backlog: Backlog) -> Offer:
    """Return an offer: how far the stream is, and for which channels its newest envelopes were."""
    marks: set[int] = set()
    entries = list(islice(backlog.newest(), OFFER_ENTRIES))
    for entry in entries:
        found = marks.union(map(mark, () if entry.recorded else entry.channels))
        if len(found) > OFFER_MARKS:
            return Offer(backlog.handed, entry.number, pack_marks(marks))
        marks = found
    since = entries[-1].number if len(entries) == OFFER_ENTRIES else backlog.floor
    return Offer(backlog.handed, since, pack_marks(marks))
