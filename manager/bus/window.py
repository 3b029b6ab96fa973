"""``Window``: how many envelopes may wait for the bus before emits wait too.

Handlers emit faster than a server takes envelopes, so a flood fills whatever room there is, and each event
waits behind all of that. So there is room for what the way to the server and back holds, and not for much
more. This is pure book-keeping.
"""

from __future__ import annotations

from math import inf
from typing import Final

LEAST: Final = 50
"""Half of them make a batch, whose round trip then costs little for each of them."""
MOST: Final = 2000
TRIPS: Final = 3
"""For how many round trips there is room: one batch is on its way, one waits, and the next may be larger."""


class Window:
    """The size follows what a server takes in the time of its quickest round trip.

    Most servers are near, and take less than ``LEAST`` in that time. With a far one more are on their way.
    """

    def __init__(self) -> None:
        self.size = MOST
        self._quickest = inf

    def open(self) -> None:
        """Make room, until it is known how long a round trip takes."""
        self.size = MOST
        self._quickest = inf

    def took(self, count: int, seconds: float) -> None:
        """Note that the bus has taken so many envelopes in one round trip of so many seconds."""
        self._quickest = min(self._quickest, seconds)
        room = TRIPS * count * self._quickest / seconds if seconds else 0
        self.size = min(MOST, max(LEAST, int(room)))
