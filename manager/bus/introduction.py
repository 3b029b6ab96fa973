"""``Introduction``: tells when a node that has joined the bus knows all others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from socketio_cluster.manager.bus.membership import PAUSE

if TYPE_CHECKING:
    from socketio_cluster.manager.bus.link import Link


class Introduction:
    """The time from joining the bus until this node has heard of every live node.

    In one heartbeat each of them says that it is there, and answers the hello of this one. Then this node
    says so itself. The bus keeps the order, so when that has come back, all that was said before was read.

    Args:
        heartbeat: how often a node says that it is alive, in seconds.
        deaf_after: after so many seconds without its own heartbeat a node leaves the bus, and joins it again.
    """

    __slots__ = ("_due", "_heard", "_most", "_seconds", "_stamp", "over")

    def __init__(self, heartbeat: float, deaf_after: float) -> None:
        self._seconds = max(heartbeat, 2 * PAUSE)
        self._most = self._seconds + deaf_after
        self._due = 0.0
        self._stamp: float | None = None
        self._heard = asyncio.Event()
        self.over = False
        """Whether this node knows every live node. It is a plain attribute because every emit reads it."""

    def joined(self, now: float) -> None:
        """Begin, as this node has joined the bus; ``now`` is a monotonic clock in seconds."""
        self._due, self._stamp = now + self._seconds, None
        self.parted()

    def parted(self) -> None:
        """Note that the bus is lost."""
        self.over = False
        self._heard.clear()

    def said(self, now: float, stamp: float) -> None:
        """Note that this node has said that it is alive. ``stamp`` is the time in the header."""
        if self._stamp is None and now >= self._due:
            self._stamp = stamp

    def heard(self, stamp: float) -> None:
        """Note that what this node has said with this time in the header has come back."""
        if self._stamp is not None and stamp >= self._stamp:
            self.over = True
            self._heard.set()

    async def wait(self, link: Link, seconds: float | None) -> bool:
        """Return True when it is over, or False when the bus is not reached for so many seconds.

        On a bus that is reached it takes one heartbeat, or 1 second if that is longer, and only when the bus
        is lost meanwhile ``seconds`` more. With None it takes as long as the bus is away.
        """
        if self.over:
            return True
        try:
            async with asyncio.timeout(seconds):
                await link.wait_up()
            async with asyncio.timeout(None if seconds is None else seconds + self._most):
                await self._heard.wait()
        except TimeoutError:
            return False
        return True
