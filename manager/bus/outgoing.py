"""What the link sends: notices first, then the stream, and a piece of an answer at most.

A *notice* is no part of the stream: it is sent once, soon or never, so it waits in a short queue of its
own that ends with the connection. Answers are made one by one as there is room: beside live traffic they
take a fifth of the way at most.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.broker import Publication

BATCH_ENTRIES: Final = 1000
BATCH_BYTES: Final = 1024 * 1024
NOTICES: Final = 1000
"""Notices that may wait; beyond it the oldest go, as all but a goodbye come again."""


class Batch(NamedTuple):
    """What goes to the bus in one round trip.

    ``entries``: those of the stream, which begin at ``first``. ``told``: notices so far, with these.
    """

    publications: list[Publication]
    entries: list[Entry]
    first: int
    told: int

    def entry(self, index: int) -> Entry | None:
        """The entry behind a publication; None for a notice or an answer."""
        index -= self.first
        return self.entries[index] if 0 <= index < len(self.entries) else None


class Outgoing:
    """Everything that waits for the bus.

    Args:
        backlog: the stream.
        answer: makes the next piece of an answer, or gives None.
    """

    def __init__(self, backlog: Backlog, answer: Callable[[], Publication | None]) -> None:
        self.backlog = backlog
        self._answer = answer
        self._notices: deque[Publication] = deque(maxlen=NOTICES)
        self.noticed = 0
        """How many notices there were."""
        self.told = 0
        """How many of them wait no more: the bus has them, or they are lost."""
        self.flowing = True
        """Whether the stream is sent; notices and answers always are."""

    @property
    def unsent(self) -> int:
        """How many envelopes wait."""
        return self.backlog.unsent + len(self._notices)

    def notice(self, publication: Publication) -> None:
        """Send this next."""
        self._notices.append(publication)
        self.noticed += 1

    def batch(self, most: int = BATCH_ENTRIES) -> Batch:
        """What to send next, with so many entries of the stream at most; empty when nothing waits."""
        publications = list(self._notices)
        first = len(publications)
        self._notices.clear()
        entries = self.backlog.batch(most, BATCH_BYTES) if self.flowing else []
        publications += [Publication(entry.channels, entry.payload) for entry in entries]
        if answer := self._answer():
            publications.append(answer)
        return Batch(publications, entries, first, self.noticed)

    def sent(self, batch: Batch) -> None:
        """The bus has this batch."""
        if batch.entries:
            self.backlog.sent(batch.entries[-1].number)
        self.told = batch.told

    def cut(self) -> None:
        """The broker is gone, and the notices with it; the stream goes on from where it was confirmed."""
        self._notices.clear()
        self.told = self.noticed
        self.backlog.cut()
