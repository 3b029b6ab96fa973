"""``Window``: how many envelopes may wait for the bus before emits wait too.

Handlers emit faster than a server takes envelopes, so a flood fills whatever room there is, and each event
waits behind all of that. So there is room for what the way to the server and back holds, and not for much
more: else events are late by a few dozen milliseconds, also those of other handlers. This is pure
book-keeping.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Final

from socketio_cluster.manager.bus.rest import Rest

LEAST: Final = 600
"""Few emits of a flood have to wait then. With 256 each costs half as much again, for half of the latency."""
LEAST_RECORDED: Final = 50
"""The same for events that the bus keeps: they are late by what comes back before them, too.

Half of them make a batch, whose round trip then costs little for each of them.
"""
MOST: Final = 2000
TRIPS: Final = 3
"""For how many round trips there is room: one batch is on its way, one waits, and the next may be larger."""
PERIOD_SECONDS: Final = 10.0
"""How often the way is measured, as in TCP's BBR (MinRTTFilterLen of draft-ietf-ccwg-bbr)."""
PERIODS: Final = 6
"""For how many periods the quickest round trip counts: this process may be busy when it measures."""
PROBES: Final = 4
"""How many round trips are then made without any room. The first one still takes what waited before."""

SHUT: Final = -1
"""A size that leaves no room, not even for a first envelope."""


class Window:
    """The size follows what a server takes in the time of its quickest round trip.

    Most servers are near, and take less than ``LEAST`` in that time. With a far one more are on their way.

    A server may go further away for good, so the quickest round trip is forgotten after a minute. A flood
    makes each one slow, in this process too. So it is held up for a few of them, as in BBR's ProbeRTT.
    """

    __slots__ = ("_least", "_period_ends", "_probes", "_quickest", "_rest", "_room", "size")

    def __init__(self, least: int = LEAST) -> None:
        self._least = least
        self.open()

    def open(self) -> None:
        """Make room, until it is known how long a round trip takes."""
        self.size = self._room = MOST
        self._rest = Rest()
        self._quickest = deque([inf], PERIODS)
        """The quickest round trip of each period."""
        self._period_ends = inf
        self._probes = 0

    def took(self, count: int, began: float, ended: float) -> None:
        """Note that the bus has taken so many envelopes in one round trip, between these two times."""
        if ended > self._period_ends:
            self._quickest.append(inf)
            self._probes = PROBES
        elif self._probes:
            self._probes -= 1
        if self._quickest[-1] == inf:
            self._period_ends = ended + PERIOD_SECONDS
        seconds = ended - began
        self._quickest[-1] = min(self._quickest[-1], seconds)
        room = TRIPS * count * min(self._quickest) / seconds if seconds else 0
        self._room = 0 if self._probes else min(MOST, max(self._least, int(room)))
        if self.size != SHUT:
            self.size = self._room

    def shut(self, late: float, now: float) -> float:
        """Leave no room at all, as another node hears this one so many seconds late.

        Returns after how many seconds to call ``reopen``, see ``Rest.begin``.
        """
        seconds = self._rest.begin(late, now)
        if seconds:
            self.size = SHUT
        return seconds

    def reopen(self, now: float) -> None:
        """End what ``shut`` has begun."""
        self._rest.end(now)
        self.size = self._room
