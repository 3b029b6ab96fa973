"""Holds up clients that send too many events, on every transport."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any, Final
from weakref import WeakKeyDictionary

from socketio_cluster.cluster.limits.pace import Pace
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.cluster")

_ACKS: Final = ("43", "46")


class Pacer:
    """Keeps the pace of each connection of one server.

    Args:
        rate: events a second for each.
        attachments: whether bytes are attachments of an event; in msgpack each is a packet of its own.
        stats: where to count.
    """

    def __init__(self, rate: float, attachments: bool, stats: Stats) -> None:
        self._rate = rate
        self._attachments = attachments
        self._stats = stats
        self._paces: WeakKeyDictionary[Any, Pace] = WeakKeyDictionary()
        """By python-engineio's socket."""

    def delay(self, socket: Any, data: str | bytes) -> float:
        """Seconds that an Engine.IO packet of this client has to wait, 0 when it need not."""
        if not self._counts(data):
            return 0.0
        now = time.monotonic()
        pace = self._paces.get(socket)
        if pace is None:
            pace = self._paces[socket] = Pace(self._rate, now)
        seconds = pace.event(now)
        if seconds:
            self._stats.rate_limited += 1
        return seconds

    async def hold(self, socket: Any, seconds: float) -> bool:
        """Wait; False when this client has sent too much for so long that it is to be disconnected."""
        began = time.monotonic()
        await asyncio.sleep(seconds)
        now = time.monotonic()
        if self._paces[socket].held(now - began, now):
            logger.warning("client %s goes on sending too many events: disconnecting it", socket.sid)
            return False
        return True

    async def admit(self, socket: Any, packets: Iterable[str | bytes]) -> bool:
        """Wait until these packets may be handled; False when the client is to be disconnected."""
        seconds = max((self.delay(socket, packet) for packet in packets), default=0.0)
        return not seconds or await self.hold(socket, seconds)

    def _counts(self, data: str | bytes) -> bool:
        """Acks are answers, and attachments belong to an event: neither is one."""
        if isinstance(data, bytes):
            return not self._attachments
        return data[:1] == "4" and data[:2] not in _ACKS
