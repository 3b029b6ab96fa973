"""The envelopes this node has published or will publish: its stream, as far back as it is kept.

One list serves three ends: what the bus has not got yet (it is away, or busy), what must be sent again
because the bus never confirmed it, and what another node may have missed while it was cut off. It is
bounded by bytes and by age; the oldest go first, those already sent before those not. Of what has gone the
number and the channels are known for a while, so that it can be counted for those who needed it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

GONE_ENTRIES: Final = 20_000
"""Entries that are known after they have gone, about 200 bytes each."""


class Entry(NamedTuple):
    """One envelope: its number, when it was added, where it goes, and its bytes; none when it has gone."""

    number: int
    at: float
    channels: tuple[str, ...]
    payload: bytes


class Backlog:
    """A stream of entries in the order of their numbers; time is given in seconds by the caller."""

    def __init__(self, max_bytes: int, max_age: float) -> None:
        self._max_age = max_age
        # In the order of their numbers: all of the first come before all of the second, and so on.
        self._gone: deque[Entry] = deque()
        self._sent: deque[Entry] = deque()
        self._unsent: deque[Entry] = deque()
        self._bytes = 0
        self._offered = 0
        self.max_bytes = max_bytes
        """Bytes of all that is kept at once, hence of one entry."""
        self.reached = 0
        """Number of the newest entry the bus has."""
        self.handed = 0
        """Everything up to this number was handed to the present broker or an earlier one, or has gone."""
        self.floor = 0
        """Of entries up to this number it is not known any more whom they were for."""

    @property
    def unsent(self) -> int:
        """How many entries the bus has not got yet."""
        return len(self._unsent)

    @property
    def newest_number(self) -> int:
        """Number of the newest unsent entry, or of the newest that was sent."""
        return self._unsent[-1].number if self._unsent else self.reached

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
            self.handed = max(self.handed, picked[-1].number)
        return picked

    def sent(self, last: int) -> None:
        """The bus has everything up to number ``last``."""
        self.reached = last
        while self._unsent and self._unsent[0].number <= last:
            self._sent.append(self._unsent.popleft())

    def cut(self) -> None:
        """The broker is gone: what it has not confirmed will be handed to the next one."""
        if self._unsent:
            self.handed = self._unsent[0].number - 1

    def drop(self, number: int) -> Entry | None:
        """Give up an unsent entry that the bus will not take; None when there is none of this number."""
        for entry in self._unsent:
            if entry.number == number:
                self._unsent.remove(entry)
                self._bytes -= len(entry.payload)
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
        self.handed = min(self.handed, number)
        return count

    def awaits(self, number: int) -> bool:
        """Whether the entry with this number still has to reach the bus."""
        return bool(self._unsent) and self._unsent[0].number <= number

    def withdraw(self, number: int) -> bool:
        """Take back an unsent entry; False when it was in a batch, so that the bus may have it already."""
        self.drop(number)
        return number > self._offered

    def expire(self, now: float) -> int:
        """Let go what is over the bounds; returns how many unsent entries were among it."""
        while self._sent and self._over(self._sent[0], now):
            self._evict(self._sent)
        dropped = 0
        while self._unsent and self._over(self._unsent[0], now):
            self.handed = max(self.handed, self._evict(self._unsent))
            dropped += 1
        return dropped

    def between(self, after: int, last: int) -> Iterator[Entry]:
        """The entries above ``after`` up to ``last``, oldest first; those that have gone without payload."""
        for entries in (self._gone, self._sent, self._unsent):
            start = bisect_right(entries, after, key=lambda entry: entry.number)
            for entry in islice(entries, start, None):
                if entry.number > last:
                    return
                yield entry

    def newest(self) -> Iterator[Entry]:
        """The entries up to ``handed``, newest first."""
        handed = bisect_right(self._unsent, self.handed, key=lambda entry: entry.number)
        unsent = list(islice(self._unsent, handed))
        return chain(reversed(unsent), reversed(self._sent), reversed(self._gone))

    def _over(self, entry: Entry, now: float) -> bool:
        return self._bytes > self.max_bytes or now - entry.at > self._max_age

    def _evict(self, entries: deque[Entry]) -> int:
        entry = entries.popleft()
        self._bytes -= len(entry.payload)
        self._gone.append(Entry(entry.number, entry.at, entry.channels, b""))
        if len(self._gone) > GONE_ENTRIES:
            self.floor = self._gone.popleft().number
        return entry.number
