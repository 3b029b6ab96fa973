"""``History``: the last events of a cluster in their one order, as far back as they are kept.

This is what the local hub keeps in memory; in Redis a script keeps the same. Times are seconds since 1970.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.store import Begin, Piece, Place, Read, Tail

OVERHEAD: Final = 300
"""Bytes of memory that an event takes beside its payload."""


class Event(NamedTuple):
    """One event: its number, the channels whose history it is in, and its envelope."""

    number: int
    channels: tuple[str, ...]
    payload: bytes

    @property
    def size(self) -> int:
        """The bytes that it counts for."""
        return len(self.payload) + OVERHEAD


class History:
    """Numbers events and keeps them, bounded by age and by bytes; the oldest go first.

    Args:
        epoch: the name of this history. Another history has another name.
        now: the time. Nothing is known of what was before.
    """

    def __init__(self, epoch: str, now: float) -> None:
        self.epoch = epoch
        self.last = self.floor = round(now * 1e6)
        """The last number, and that up to which not all events are kept."""
        self.seconds = 0.0
        """How long events are kept."""
        self._most = 0
        self._size = 0
        self._events: deque[Event] = deque()
        self._channels: defaultdict[str, deque[int]] = defaultdict(deque)
        self._numbers: deque[int] = deque()
        self._senders: dict[str, tuple[int, float]] = {}

    @property
    def place(self) -> Place:
        """The epoch, the last number and the floor."""
        return Place(self.epoch, self.last, self.floor)

    @property
    def begun(self) -> bool:
        """Whether any node has asked for it."""
        return self._most > 0

    @property
    def size(self) -> int:
        """The bytes of all events."""
        return self._size

    def begin(self, begin: Begin) -> Place:
        """Keep events for so long, and so many bytes. The largest bounds that any node asks for hold."""
        self.seconds = max(self.seconds, begin.seconds)
        self._most = max(self._most, begin.size)
        return self.place

    def record(
        self, sender: str, sent: int, channels: tuple[str, ...], payload: bytes, now: float
    ) -> Stamp | None:
        """Number an event and keep it. Returns None for one that its sender has sent before.

        ``sent`` is the number in the stream of the ``sender``.
        """
        if sent <= self._senders.get(sender, (0, 0.0))[0]:
            return None
        self._senders[sender] = sent, now
        self.last = max(self.last + 1, round(now * 1e6))
        event = Event(self.last, channels, payload)
        self._events.append(event)
        self._numbers.append(event.number)
        for channel in channels:
            self._channels[channel].append(event.number)
        self._size += event.size
        self.expire(now)
        return Stamp(self.epoch, self.last)

    def expire(self, now: float) -> None:
        """Drop the events beyond the bounds."""
        oldest = round((now - self.seconds) * 1e6)
        while self._events and (self._events[0].number < oldest or self._size > self._most):
            event = self._events.popleft()
            self._numbers.popleft()
            self._size -= event.size
            self.floor = max(self.floor, event.number)  # A gap may be behind it.
            for channel in event.channels:
                numbers = self._channels[channel]
                numbers.popleft()
                if not numbers:
                    del self._channels[channel]

    def gap(self) -> bool:
        """Note that events may be missing up to now, also behind the last one that was recorded."""
        self.floor = self.step()
        return True

    def step(self) -> int:
        """Take a number that no event has, so that what is done before and behind it can be told apart."""
        self.last += 1
        return self.last

    def forget_senders(self, now: float) -> None:
        """Forget senders that have recorded nothing for as long as events are kept."""
        for sender, (_, at) in list(self._senders.items()):
            if now - at > self.seconds:
                del self._senders[sender]

    def read(self, read: Read) -> Piece:
        """Return the next events of some channels, or of all."""
        numbers = self._after(read)
        events: list[tuple[int, bytes]] = []
        size = 0
        first = self._numbers[0] if self._numbers else 0
        for number in numbers:
            if events and number == events[-1][0]:
                continue  # It was emitted to several of these channels.
            event = self._events[bisect_right(self._numbers, number) - 1]
            size += event.size
            if events and (len(events) == read.count or size > read.size):
                return Piece(events, events[-1][0], False, self.place)
            events.append((number, event.payload))
        assert not events or events[0][0] >= first
        return Piece(events, self.last, True, self.place)

    def tail(self, tail: Tail) -> Piece:
        """Return the last events of a channel."""
        numbers = self._channels.get(tail.channel, deque())
        end = bisect_left(numbers, tail.before) if tail.before else len(numbers)
        events: list[tuple[int, bytes]] = []
        size = 0
        for at in range(end - 1, -1, -1):
            event = self._events[bisect_right(self._numbers, numbers[at]) - 1]
            size += event.size
            if events and (len(events) == tail.count or size > tail.size):
                return Piece(events[::-1], self.last, False, self.place)
            events.append((event.number, event.payload))
        return Piece(events[::-1], self.last, True, self.place)

    def _after(self, read: Read) -> Iterable[int]:
        if read.channels is None:
            return islice(self._numbers, bisect_right(self._numbers, read.after), None)
        found = (self._channels[channel] for channel in read.channels if channel in self._channels)
        return merge(*(islice(each, bisect_right(each, read.after), None) for each in found))
