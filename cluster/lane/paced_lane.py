"""A lane whose client may send a limited number of events in a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from socketio_cluster.cluster.lane.connection import Lane
from socketio_cluster.cluster.limits.limits import POLICY, RATE_LIMIT
from socketio_cluster.cluster.limits.pacer import Pacer

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.install import ServerLanes


class PacedLane(Lane):
    """While an event has to wait, nothing more is read, and the packets that were read wait behind it."""

    __slots__ = ("_pacer",)

    def __init__(
        self,
        transport: asyncio.Transport,
        connections: set[Any],
        socket: Any,
        group: ServerLanes,
        pacer: Pacer,
    ) -> None:
        super().__init__(transport, connections, socket, group)
        self._pacer = pacer

    def handle(self, data: str | bytes) -> None:
        """Handle a packet now, or after the time by which its client is too fast."""
        seconds = self._pacer.delay(self.socket, data)
        if seconds:
            self._begin(self._hold(seconds, data))
        else:
            super().handle(data)

    async def _hold(self, seconds: float, data: str | bytes) -> None:
        if not await self._pacer.hold(self.socket, seconds):
            self._close_after_answer(POLICY, RATE_LIMIT)
            await self.end(RATE_LIMIT)
        elif not self._transport.is_closing():
            work = self._group.inbound.packet(self, data)
            if work is not None:
                await work
