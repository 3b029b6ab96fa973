"""The envelopes this node has published or will publish: its stream, as far back as it is kept.

One list serves three ends: what the bus has not got yet (it is away, or busy), what must be sent again
because the bus never confirmed it, and what another node may have missed while it was cut off. It is
bounded by bytes and by age; the oldest go first, those already sent before those not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple


class Entry(NamedTuple):
    """One envelope: its number, when it was added, where it goes, its bytes, and whether it is kept."""

    number: int
    at: float
    channels: tuple[str, ...]
    payload: bytes
    keep: bool


class Backlog:
    """A stream of entries in the order of their numbers; time is given in seconds by the caller."""

    def __init__(self, max_bytes: int, max_age: float) -> None:
        self._max_age = max_age
        self._sent: deque[Entry] = deque()
        self._unsent: deque[Entry] = deque()
        self._bytes = 0
        self._offered = 0
        self.max_bytes = max_bytes
        """Bytes of all that is kept at once, hence of one entry."""
        self.reached = 0
        """Number of the newest entry the bus has."""
        self.floor = 0
        """Number of the newest entry that should have been kept and is not any more."""

    @property
    def unsent(self) -> int:
        """How many entries the bus has not got yet."""
        return len(self._unsent)

    @property
    def unsent_bytes(self) -> int:
        """Their bytes; added up anew each time."""
        return sum(len(entry.payload) for entry in self._unsent)

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return self._bytes

    def add(self, entry: Entry) -> int:
        """Append an entry; returns how many unsent ones had to go for it."""
        self._unsent.append(entry)
        self._bytes += len(entry.payload)
        return self.expire(entry.at)

    def batch(self, count: int, size: int) -> list[Entry]:
        """The next entries for the bus: at most ``count``, and ``size`` bytes unless one is larger."""
        picked: list[Entry] = []
        for entry in islice(self._unsent, count):
            size -= len(entry.payload)
            if size < 0 and picked:
                break
            picked.append(entry)
        if picked:
            self._offered = max(self._offered, picked[-1].number)
        return picked

    def sent(self, last: int) -> None:
        """The bus has everything up to number ``last``."""
        self.reached = last
        while self._unsent and self._unsent[0].number <= last:
            entry = self._unsent.popleft()
            if entry.keep:
                self._sent.append(entry)
            else:
                self._bytes -= len(entry.payload)

    def drop(self, number: int) -> Entry | None:
        """Give up an unsent entry that the bus will not take; None when there is none of this number."""
        for entry in self._unsent:
            if entry.number == number:
                self._unsent.remove(entry)
                self._forget(entry)
                return entry
        return None

    def above(self, size: int) -> list[Entry]:
        """The unsent entries of more than ``size`` bytes."""
        return [entry for entry in self._unsent if len(entry.payload) > size]

    def rewind(self, number: int) -> int:
        """Everything kept after ``number`` is to be sent again, in its order; returns how many that are."""
        count = 0
        while self._sent and self._sent[-1].number > number:
            self._unsent.appendleft(self._sent.pop())
            count += 1
        self.reached = min(self.reached, number)
        return count

    def awaits(self, number: int) -> bool:
        """Whether the entry with this number still has to reach the bus."""
        return bool(self._unsent) and self._unsent[0].number <= number

    def withdraw(self, number: int) -> bool:
        """Take back an unsent entry; False when it was in a batch, so that the bus may have it already."""
        for entry in self._unsent:
            if entry.number == number:
                self._unsent.remove(entry)
                self._bytes -= len(entry.payload)
                break
        return number > self._offered

    def expire(self, now: float) -> int:
        """Let go what is over the bounds; returns how many unsent entries were among it."""
        while self._sent and self._over(self._sent[0], now):
            self._evict(self._sent)
        dropped = 0
        while self._unsent and self._over(self._unsent[0], now):
            self._evict(self._unsent)
            dropped += 1
        return dropped

    def since(self, number: int) -> Iterator[Entry]:
        """The kept entries after ``number``, sent or not, oldest first."""
        for entries in (self._sent, self._unsent):
            for entry in entries:
                if entry.number > number and entry.keep:
                    yield entry

    def _over(self, entry: Entry, now: float) -> bool:
        return self._bytes > self.max_bytes or now - entry.at > self._max_age

    def _evict(self, entries: deque[Entry]) -> None:
        self._forget(entries.popleft())

    def _forget(self, entry: Entry) -> None:
        self._bytes -= len(entry.payload)
        if entry.keep:
            self.floor = max(self.floor, entry.number)
