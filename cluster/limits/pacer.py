"""Holds up clients that send too many events, on every transport."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Iterable
from typing import Any, Final
from weakref import WeakKeyDictionary

from socketio_cluster.cluster.limits.bucket import Pace
from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.cluster")

_ACK: Final = re.compile(r"4(?:3|6\d+-)(?:(/[^,]*),)?(\d{1,15})\[")
"""The beginning of an ack: its namespace, and its id."""


class Pacer:
    """Limits the events of each connection of one server.

    Args:
        rate: events of one connection in a second.
        manager: the manager of the server, in whose ``stats`` delays are counted.
    """

    def __init__(self, rate: float, manager: ClusterManager) -> None:
        self._rate = rate
        self._stats = manager.stats
        self._members = manager.members
        # Binary messages are attachments of an event. With msgpack each one is a packet of its own.
        self._attachments = manager.server.packet_class.uses_binary_events
        self._paces: WeakKeyDictionary[Any, Pace] = WeakKeyDictionary()
        """The pace of each connection, by python-engineio's socket."""

    def delay(self, socket: Any, data: str | bytes) -> float:
        """Return the seconds that an Engine.IO packet of this client has to wait, 0 for none."""
        if not self._counts(socket, data):
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
        """Wait; return False when the client has sent too much for so long that it is to be disconnected."""
        began = time.monotonic()
        await asyncio.sleep(seconds)
        now = time.monotonic()
        if self._paces[socket].held(now - began, now):
            logger.warning("client %s goes on sending too many events: disconnecting it", socket.sid)
            return False
        return True

    async def admit(self, socket: Any, packets: Iterable[str | bytes]) -> bool:
        """Wait until these packets may be handled; return False when the client is to be disconnected."""
        seconds = max((self.delay(socket, packet) for packet in packets), default=0.0)
        return not seconds or await self.hold(socket, seconds)

    def _counts(self, socket: Any, data: str | bytes) -> bool:
        """Return whether a packet counts.

        Attachments belong to an event, and pongs and acks were asked for.
        """
        if isinstance(data, bytes):
            return not self._attachments
        if data[:1] == "3":
            return not socket.last_ping
        ack = _ACK.match(data)
        if ack is None:
            return True
        client = self._members.on_connection(socket.sid, ack[1] or "/")
        return client is None or not client.awaits_ack(int(ack[2]))
