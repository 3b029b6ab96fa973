"""The backlog: the stream of this node's envelopes, sent and unsent, as far back as it is kept.

One list serves three purposes. It holds envelopes that the bus has not got yet, because it is away or busy.
It holds those that must be sent again, because the bus never confirmed them. And it holds those that another
node may have missed while it was cut off. The list is bounded by bytes and by age. The oldest entries are
dropped first, and sent ones before unsent ones. The number and the channels of a dropped entry are known for
a while longer, so that it can be counted for the nodes that needed it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import accumulate, chain, islice, takewhile
from typing import Final

import msgspec

from socketio_cluster.manager.bus.losses import Losses

GONE_ENTRIES: Final = 20_000
"""The number of dropped entries that are still known, about 200 bytes each."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One envelope: its number, when it was added, its channels, and its bytes (none if dropped).

    ``recorded`` are the channels in whose history the bus keeps it.
    """

    number: int
    at: float
    channels: tuple[str, ...]
    payload: bytes
    recorded: tuple[str, ...] = ()


class Backlog:
    """A stream of entries in the order of their numbers. The caller gives the time, in seconds."""

    __slots__ = (
        "_bytes",
        "_gone",
        "_max_age",
        "_offered",
        "_sent",
        "_unsent",
        "floor",
        "handed",
        "losses",
        "max_bytes",
        "reached",
    )

    def __init__(self, max_bytes: int, max_age: float) -> None:
        self._max_age = max_age
        # All numbers in the first list are below those in the second, and those are below the ones in the
        # third.
        self._gone: deque[Entry] = deque()
        self._sent: deque[Entry] = deque()
        self._unsent: deque[Entry] = deque()
        self._bytes = 0
        self._offered = 0
        self.max_bytes = max_bytes
        """The most bytes of all entries together, and so of one entry."""
        self.reached = 0
        """The number of the newest entry that the bus has."""
        self.handed = 0
        """Every entry up to this number was given to the current broker or an earlier one, or was dropped."""
        self.losses = Losses()
        """The channels of the entries that the bus was to keep, and that were dropped."""
        self.floor = 0
        """The channels of the entries up to this number are not known any more."""

    @property
    def unsent(self) -> int:
        """How many entries the bus has not got yet."""
        return len(self._unsent)

    def waited(self, now: float) -> float:
        """Return for how many seconds the oldest unsent entry has waited."""
        return now - self._unsent[0].at if self._unsent else 0.0

    @property
    def newest_number(self) -> int:
        """The number of the newest unsent entry, or else of the newest sent one."""
        return self._unsent[-1].number if self._unsent else self.reached

    @property
    def unsent_bytes(self) -> int:
        """The bytes of the unsent entries. They are added up at each call."""
        return sum(len(entry.payload) for entry in self._unsent)

    @property
    def size(self) -> int:
        """The bytes of all entries."""
        return self._bytes

    def add(self, entry: Entry) -> int:
        """Append an entry. Returns how many unsent ones were dropped for it."""
        self._unsent.append(entry)
        self._bytes += len(entry.payload)
        oldest = self._sent[0] if self._sent else self._unsent[0]
        return self.expire(entry.at) if self._over(oldest, entry.at) else 0

    def batch(self, count: int, size: int) -> list[Entry]:
        """Return the next unsent entries: at most ``count``, and ``size`` bytes unless one is larger."""
        picked = list(islice(self._unsent, count))
        ends = list(accumulate([len(entry.payload) for entry in picked]))
        del picked[max(1, bisect_right(ends, size)) :]
        if picked:
            self._offered = max(self._offered, picked[-1].number)
            self.handed = max(self.handed, picked[-1].number)
        return picked

    def sent(self, last: int) -> None:
        """The bus has everything up to number ``last``."""
        self.reached = last
        unsent, sent = self._unsent, self._sent
        while unsent and unsent[0].number <= last:
            sent.append(unsent.popleft())

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
        """Return the unsent entries with more than ``size`` bytes."""
        return [entry for entry in self._unsent if len(entry.payload) > size]

    def rewind(self, number: int) -> int:
        """Mark all sent entries behind ``number`` as unsent, in their order, and return how many they are."""
        count = 0
        while self._sent and self._sent[-1].number > number:
            self._unsent.appendleft(self._sent.pop())
            count += 1
        self.reached = min(self.reached, number)
        self.handed = min(self.handed, number)
        return count

    def again(self, since: float) -> int:
        """Mark what was added since then and sent as unsent, and return how many entries that is.

        What of it was dropped counts as lost.
        """
        for entry in takewhile(lambda entry: entry.at >= since, reversed(self._gone)):
            self.losses.add(entry.recorded)
        before = self._gone[-1].number if self._gone else 0
        kept = next((entry.number for entry in reversed(self._sent) if entry.at < since), before)
        return self.rewind(kept)

    def awaits(self, number: int) -> bool:
        """Whether the entry with this number has not reached the bus yet."""
        return bool(self._unsent) and self._unsent[0].number <= number

    def withdraw(self, number: int) -> bool:
        """Remove an unsent entry. Returns False if it was in a batch, so that the bus may have it already."""
        self.drop(number)
        return number > self._offered

    def expire(self, now: float) -> int:
        """Drop the entries beyond the bounds. Returns how many unsent ones were dropped."""
        while self._sent and self._over(self._sent[0], now):
            self._evict(self._sent)
        dropped = 0
        while self._unsent and self._over(self._unsent[0], now):
            self.losses.add(self._unsent[0].recorded)
            self.handed = max(self.handed, self._evict(self._unsent))
            dropped += 1
        return dropped

    def between(self, after: int, last: int) -> Iterator[Entry]:
        """Yield the entries above ``after`` up to ``last``, oldest first. Dropped ones have no payload."""
        for entries in (self._gone, self._sent, self._unsent):
            start = bisect_right(entries, after, key=lambda entry: entry.number)
            for entry in islice(entries, start, None):
                if entry.number > last:
                    return
                yield entry

    def newest(self) -> Iterator[Entry]:
        """Return the entries up to ``handed``, newest first. Dropped ones have no payload."""
        handed = bisect_right(self._unsent, self.handed, key=lambda entry: entry.number)
        unsent = list(islice(self._unsent, handed))
        return chain(reversed(unsent), reversed(self._sent), reversed(self._gone))

    def _over(self, entry: Entry, now: float) -> bool:
        return self._bytes > self.max_bytes or now - entry.at > self._max_age

    def _evict(self, entries: deque[Entry]) -> int:
        entry = entries.popleft()
        self._bytes -= len(entry.payload)
        self._gone.append(msgspec.structs.replace(entry, payload=b""))
        if len(self._gone) > GONE_ENTRIES:
            self.floor = self._gone.popleft().number
        return entry.number
