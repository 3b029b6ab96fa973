"""echo: the round trip of an event and its ack."""

from __future__ import annotations

from socketio_cluster.loadtest.errors import LoadTestError
from socketio_cluster.loadtest.scenarios.base import Scenario


class Echo(Scenario):
    """Each user sends a payload and checks that the ack brings it back unchanged."""

    talks = False
    _turns = 0

    def step(self) -> None:
        """Make one round trip. An answer that differs is an error."""
        self._turns += 1
        payload = {"turn": self._turns, "user": self.name, "pad": "x" * self.options.size}
        if self.call("echo", payload) != payload:
            self._failed("call", "echo", LoadTestError("the answer differs from what was sent"))
