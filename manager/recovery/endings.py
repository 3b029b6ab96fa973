"""``Endings``: sessions that have ended while the bus was away, and that it is told of when it is back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.store import Release
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.recovery.keeper import Keeper

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")

AGAIN_SECONDS: Final = 1.0
"""How long to wait when the bus is reached and does not take it."""


class Endings:
    """What one node has to tell. These are sessions that the bus had before, so they are bounded in number.

    Args:
        manager: the manager of the clients.
        keeper: what the bus keeps.
    """

    def __init__(self, manager: ClusterManager, keeper: Keeper) -> None:
        self._manager = manager
        self._keeper = keeper
        self._waiting: dict[str, tuple[Release, float]] = {}
        """By claim, with the monotonic time at which the session ends by itself, in seconds."""
        self._sids: Counter[str] = Counter()
        self._telling: asyncio.Task[None] | None = None

    def add(self, release: Release, seconds: float) -> None:
        """Tell the bus when it is back, unless that takes so many seconds."""
        if release.claim not in self._waiting:
            self._sids[release.sid] += 1
        self._waiting[release.claim] = release, time.monotonic() + seconds
        if self._telling is None or self._telling.done():
            self._telling = self._manager.spawn(self._tell())

    def has(self, sid: str) -> bool:
        """Whether the bus has still to be told of the end of a client's session."""
        return sid in self._sids

    async def _tell(self) -> None:
        while self._waiting:
            claim, (release, until) = next(iter(self._waiting.items()))
            try:
                await self._manager.node.reached()
                if time.monotonic() < until:
                    await self._keeper.release(release)
            except BrokerError as error:
                logger.debug("the end of a session is told later: %s", error)
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                del self._waiting[claim]
                self._sids -= Counter([release.sid])
