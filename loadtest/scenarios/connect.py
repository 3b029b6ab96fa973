"""connect: a storm of connects and disconnects."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.base import Scenario


class Connect(Scenario):
    """Each user connects, disconnects and connects again, `--rate` times a second."""

    talks = False

    def step(self) -> None:
        """Disconnect, and connect again."""
        self.disconnect()
        self.connect()
