"""``Waiters``: those who wait until fewer envelopes wait for the bus, in the order in which they came.

To wake all of them after each batch would cost more than what they post, as most would have to wait again. So
as many are woken as there is room for, and each lets the next one follow while there still is room.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from itertools import islice


class Waiters:
    """A line of tasks.

    Args:
        crowded: tells whether they have to wait.
    """

    __slots__ = ("_crowded", "line")

    def __init__(self, crowded: Callable[[], bool]) -> None:
        self._crowded = crowded
        self.line: OrderedDict[object, asyncio.Future[None]] = OrderedDict()
        """Those who wait. It is a plain attribute because each batch reads it."""

    async def wait(self) -> None:
        """Return when it is not crowded, behind those who came before. Cancelling is safe."""
        me = object()
        try:
            while self._crowded():
                self.line[me] = turn = asyncio.get_running_loop().create_future()
                await turn  # Others may take the room before this task goes on. It keeps its place then.
        finally:
            self.line.pop(me, None)
            if self.line and not self._crowded():
                self.admit(1)

    def admit(self, count: int) -> None:
        """Wake the first ones of the line, so many."""
        for turn in islice(self.line.values(), max(0, count)):
            if not turn.done():
                turn.set_result(None)
