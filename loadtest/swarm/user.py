"""SwarmUser: a SocketIOUser whose connection is one of many in a single loop."""

from __future__ import annotations

from socketio_cluster.loadtest.swarm.client import SwarmClient
from socketio_cluster.loadtest.swarm.pump import pump_of
from socketio_cluster.loadtest.user import SocketIOUser


class SwarmUser(SocketIOUser):
    """Put it before a scenario: ``class Crowd(SwarmUser, Room)`` is that scenario for ten thousand users.

    Only WebSocket. Deliveries are counted and compared one by one, but only one in sixteen chunks of bytes is
    timed, and Locust's own statistics do not list deliveries.
    """

    abstract = True

    def open_client(self) -> SwarmClient:  # type: ignore[override]  # the same verbs
        """Connect; raises a LoadTestError."""
        engine = pump_of(self.recorder).engine
        return SwarmClient(engine, self.address(), self.receiver, self._event, self._gone, self.recovery)
