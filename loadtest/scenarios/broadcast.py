"""broadcast: messages to everyone in the namespace."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.base import Scenario


class Broadcast(Scenario):
    """A few users (`--senders`, 5) say something to everyone."""

    default_senders = 5

    def step(self) -> None:
        """Say something to everyone."""
        self.say(None)
