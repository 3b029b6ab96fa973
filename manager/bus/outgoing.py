"""The queue of the link: notices first, then the stream, and at most one piece of an answer in each batch.

A *notice* is no part of the stream. It is sent once, soon or never, so it waits in a short queue of its own,
which ends with the connection. Answers are made one by one, when there is room for them: beside live traffic
they take at most a fifth of the bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.broker import LARGEST, Publication
from socketio_cluster.manager.bus.window import LEAST, LEAST_RECORDED, Window

PACED_BYTES: Final = 4 * 1024 * 1024
"""The most bytes, of all nodes together, that are on their way to a node that reads everything.

Redis cuts off a subscriber for which 32 MiB wait, or 8 MiB for a minute.
"""
LEAST_BYTES: Final = 16 * 1024
BATCH_ENTRIES: Final = 1000
BATCH_BYTES: Final = 1024 * 1024
NOTICES: Final = 1000
"""The most notices that may wait.

With more the oldest are dropped, as all but a goodbye are repeated anyway.
"""


class Batch(msgspec.Struct, frozen=True):
    """The publications that go to the bus in one round trip.

    ``entries`` are those of the stream; the first one has the index ``first``. ``told`` is the number of all
    notices up to this batch. ``whole`` tells that nothing waited behind it.
    """

    publications: list[Publication]
    entries: list[Entry]
    first: int
    told: int
    whole: bool

    def entry(self, index: int) -> Entry | None:
        """Return the entry of the publication with this index, or None for a notice or an answer."""
        index -= self.first
        return self.entries[index] if 0 <= index < len(self.entries) else None


class Outgoing:
    """All envelopes that wait for the bus.

    Args:
        backlog: the stream.
        answer: returns the next piece of an answer, or None.
        mark: returns a notice of this node to itself.
        recording: whether the bus keeps events, so that fewer may wait, see ``Window``.
    """

    __slots__ = (
        "_answer",
        "_answering",
        "_flowing",
        "_mark",
        "_notices",
        "_paced_bytes",
        "_paced_until",
        "backlog",
        "limit",
        "marked",
        "noticed",
        "told",
        "window",
    )

    def __init__(
        self,
        backlog: Backlog,
        answer: Callable[[], Publication | None],
        mark: Callable[[], Publication],
        *,
        recording: bool = False,
    ) -> None:
        self.backlog = backlog
        self.window = Window(LEAST_RECORDED if recording else LEAST)
        self.limit = LARGEST
        """The most bytes of one envelope that the bus takes, as far as that is known."""
        self._answer = answer
        self._answering = False
        """Whether there may be an answer to send."""
        self._mark = mark
        self._notices: deque[Publication] = deque(maxlen=NOTICES)
        self.noticed = 0
        """How many notices were added."""
        self.told = 0
        """How many of them do not wait any more, because the bus has them or they are lost."""
        self._flowing = True
        self._paced_until = 0
        self._paced_bytes = 0
        self.marked = False
        """Whether the stream waits until the mark behind its last batch comes back."""

    @property
    def unsent(self) -> int:
        """How many envelopes wait."""
        return self.backlog.unsent + len(self._notices)

    @property
    def room(self) -> int:
        """How many more envelopes of the stream may wait; 0 or less: whoever posts has to wait."""
        return self.window.size + 1 - self.backlog.unsent

    def hold(self) -> None:
        """Stop sending the stream. Notices and answers are always sent."""
        self._flowing = False
        self.window.open()

    def flow(self) -> None:
        """Send the stream as fast as the bus takes it."""
        self._flowing = True
        self._paced_until = 0
        self.marked = False

    def flow_paced(self, nodes: int) -> None:
        """Send the stream, but the envelopes that wait now no faster than this node can read.

        All nodes send their waiting envelopes at the same time, and the bus takes them faster than the nodes
        can read. So each batch is small and ends with a mark to this node itself, and the next batch waits
        for it.
        """
        self.flow()
        self._paced_until = self.backlog.newest_number
        self._paced_bytes = max(LEAST_BYTES, PACED_BYTES // max(1, nodes))

    def mark_heard(self) -> None:
        """Note that the mark came back, so this node has read everything in front of it."""
        self.marked = False

    def late(self, seconds: float, now: float) -> float:
        """Let emits wait, as another node hears this one so late. Returns for how many seconds.

        That it has waited here does not count: the window bounds it.
        """
        return self.window.shut(seconds - self.backlog.waited(now), now)

    def notice(self, publication: Publication) -> None:
        """Add a notice. It is sent with the next batch."""
        self._notices.append(publication)
        self.noticed += 1

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_batch.c`` works with, of what waits, by the names there."""
        return {"outgoing": self, "backlog": self.backlog, "took": self.window.took}

    def asked(self) -> None:
        """Note that there is an answer to send."""
        self._answering = True

    def batch(self, most: int = BATCH_ENTRIES) -> Batch:
        """Return the next batch, with at most so many entries of the stream. It is empty if nothing waits."""
        publications = list(self._notices)
        first = len(publications)
        self._notices.clear()
        entries = self._entries(most)
        publications += [Publication(entry.channels, entry.payload, entry.recorded) for entry in entries]
        if entries and entries[-1].number < self._paced_until:
            self.marked = True
            publications.append(self._mark())
        if self._answering:
            answer = self._answer()
            self._answering = answer is not None
            publications += [answer] if answer is not None else []
        whole = not self._answering and len(entries) == self.backlog.unsent
        return Batch(publications, entries, first, self.noticed, whole)

    def sent(self, batch: Batch, began: float, ended: float) -> None:
        """Note that the bus has this batch, whose round trip was between these two times."""
        if batch.entries:
            self.backlog.sent(batch.entries[-1].number)
            if self.backlog.reached >= self._paced_until:
                self.window.took(len(batch.entries), began, ended)
        self.told = batch.told

    def _entries(self, most: int) -> list[Entry]:
        if not self._flowing or self.marked:
            return []
        paced = self.backlog.reached < self._paced_until
        return self.backlog.batch(most, self._paced_bytes if paced else BATCH_BYTES)

    def cut(self) -> None:
        """Note that the broker is gone.

        The notices are lost; the stream goes on behind the last confirmed entry.
        """
        self._notices.clear()
        self.window.open()
        self.told = self.noticed
        self.flow()
        self.backlog.cut()
