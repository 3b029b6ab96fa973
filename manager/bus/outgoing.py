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

PACED_BYTES: Final = 4 * 1024 * 1024
"""Of what waited for the bus, so much of all nodes together is under way to a node that reads everything.
Redis cuts a subscriber off for which 32 MiB wait, or 8 MiB for a minute."""
LEAST_BYTES: Final = 16 * 1024
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
        mark: makes a notice of this node to itself.
    """

    def __init__(
        self, backlog: Backlog, answer: Callable[[], Publication | None], mark: Callable[[], Publication]
    ) -> None:
        self.backlog = backlog
        self._answer = answer
        self._mark = mark
        self._notices: deque[Publication] = deque(maxlen=NOTICES)
        self.noticed = 0
        """How many notices there were."""
        self.told = 0
        """How many of them wait no more: the bus has them, or they are lost."""
        self._flowing = True
        self._paced_until = 0
        self._paced_bytes = 0
        self.marked = False
        """Whether the stream waits for the mark behind its last batch to come back."""

    @property
    def unsent(self) -> int:
        """How many envelopes wait."""
        return self.backlog.unsent + len(self._notices)

    def hold(self) -> None:
        """Send no more of the stream; notices and answers are sent always."""
        self._flowing = False

    def flow(self) -> None:
        """Send the stream, as fast as the bus takes it."""
        self._flowing = True
        self._paced_until = 0
        self.marked = False

    def flow_paced(self, nodes: int) -> None:
        """Send the stream, and what waits now no faster than this node hears.

        All nodes send what waited at the same time, and the bus takes it faster than they can read: so each
        batch is small and ends in a mark to this node itself, and the next one waits for it.
        """
        self.flow()
        self._paced_until = self.backlog.newest_number
        self._paced_bytes = max(LEAST_BYTES, PACED_BYTES // max(1, nodes))

    def mark_heard(self) -> None:
        """The mark came back: whatever was sent before it was read."""
        self.marked = False

    def notice(self, publication: Publication) -> None:
        """Send this next."""
        self._notices.append(publication)
        self.noticed += 1

    def batch(self, most: int = BATCH_ENTRIES) -> Batch:
        """What to send next, with so many entries of the stream at most; empty when nothing waits."""
        publications = list(self._notices)
        first = len(publications)
        self._notices.clear()
        entries = self._entries(most)
        publications += [Publication(entry.channels, entry.payload) for entry in entries]
        if entries and entries[-1].number < self._paced_until:
            self.marked = True
            publications.append(self._mark())
        if answer := self._answer():
            publications.append(answer)
        return Batch(publications, entries, first, self.noticed)

    def sent(self, batch: Batch) -> None:
        """The bus has this batch."""
        if batch.entries:
            self.backlog.sent(batch.entries[-1].number)
        self.told = batch.told

    def _entries(self, most: int) -> list[Entry]:
        if not self._flowing or self.marked:
            return []
        paced = self.backlog.reached < self._paced_until
        return self.backlog.batch(most, self._paced_bytes if paced else BATCH_BYTES)

    def cut(self) -> None:
        """The broker is gone, and the notices with it; the stream goes on from where it was confirmed."""
        self._notices.clear()
        self.told = self.noticed
        self.flow()
        self.backlog.cut()
