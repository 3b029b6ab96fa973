"""``Leases``: lets the sessions of this node's clients live on, at the position that each has reached.

A connection that lives has taken everything that was written to it before a ping and its answer: otherwise it
would have been closed. So the position of a client is where the bus was that long ago, and no client is
asked. A node gets only the events that it needs, so it asks the bus where that is.

Not every server pings plain clients. So these are told where they are, and remember it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.store import Renew
from socketio_cluster.manager.clients.client import CONNECTED, Client
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.recovery.client_session import ClientSession
from socketio_cluster.manager.recovery.offset import write_offset

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.recovery.recovery import Recovery

logger = logging.getLogger("socketio_cluster.manager")

SLICE: Final = 500
"""Sessions that are renewed at once. It takes the bus about a millisecond."""


class Positions:
    """Where the bus was at earlier times. This is pure book-keeping; ``now`` is in seconds.

    Args:
        seconds: how long after an event a living connection has taken it for certain.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._marks: deque[tuple[float, Stamp]] = deque()
        self._reached = Stamp("", 0)

    def mark(self, now: float, stamp: Stamp) -> int:
        """Note where the bus is now. Returns the number up to which every client has got everything.

        Returns 0 if that is not known for long enough, or of another epoch.
        """
        self._marks.append((now, stamp))
        while now - self._marks[0][0] >= self._seconds:
            self._reached = self._marks.popleft()[1]
        return self._reached.number if self._reached.epoch == stamp.epoch else 0


class Leases:
    """Renews the sessions of one node again and again."""

    def __init__(self, manager: ClusterManager, recovery: Recovery) -> None:
        self._manager = manager
        self._recovery = recovery

    async def run(self) -> None:
        """Renew until this is cancelled."""
        times, order = self._recovery.times, self._recovery.follower.order
        positions = Positions(times.unnoticed)
        while True:
            await asyncio.sleep(times.renewal)
            try:
                place = await self._recovery.keeper.place()
                if place is None or order.behind:
                    continue
                reached = positions.mark(time.monotonic(), Stamp(place.epoch, place.last))
                order.advance(place.epoch, reached)
                await self._recovery.agreement.settle()
                await self._renew_all(reached, place.floor)
            except BrokerError as error:
                logger.debug("sessions are renewed when the bus is back: %s", error)

    async def _renew_all(self, reached: int, floor: int) -> None:
        kept = self._kept()
        for start in range(0, max(1, len(kept)), SLICE):
            await self._renew(kept[start : start + SLICE], reached, floor)

    def _kept(self) -> list[tuple[Client, ClientSession]]:
        clients = self._manager.members.clients.values()
        return [
            (client, client.session)
            for client in clients
            if client.session is not None and not client.session.over
        ]

    async def _renew(self, kept: list[tuple[Client, ClientSession]], reached: int, floor: int) -> None:
        """Renew some sessions, or none: then the bus still drops events that are too old."""
        sessions = []
        for client, session in kept:
            if client.state is CONNECTED and not session.returning:
                session.move(self._reached(client, session, reached, time.monotonic()), floor)
            sessions.append((client.sid, session.claim, session.position))
        seconds = self._recovery.times.session
        missing = set(await self._recovery.keeper.renew(Renew(sessions, seconds)))
        for client, session in kept:
            if client.sid in missing or session.lost:
                await self._repair(client)
            else:
                await self._recovery.sessions.flush(client)

    def _reached(self, client: Client, session: ClientSession, reached: int, now: float) -> int:
        """Return how far a client has come, or tell the client itself if it does not answer pings of ours."""
        if session.tell is None:
            return reached if now - session.written_at >= self._recovery.times.unnoticed else 0
        if client.gate is None:
            order = self._recovery.follower.order
            session.tell(write_offset(order.epoch, max(order.seen, session.upto)))
        return 0

    async def _repair(self, client: Client) -> None:
        """Write a session that the bus has lost. A client whose session has another owner is told so."""
        where = await self._recovery.keeper.where(client.sid, client.namespace)
        session = client.session
        arrivals = self._recovery.arrivals
        if session is None or session.over or arrivals.is_returning(client.sid):
            return
        if self._manager.members.find(client.sid, client.namespace) is not client:
            return
        if where is None or where == self._manager.node_id:
            await self._recovery.sessions.write(client, session)
        else:
            self._manager.spawn(arrivals.drop(client.sid, client.namespace))  # A handler may take long.
