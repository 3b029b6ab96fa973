"""slow: a few clients do not read, and the others must not notice."""

from __future__ import annotations

from typing import Any

from socketio_cluster.loadtest.scenarios.room import Room


class Slow(Room):
    """The scenario `room`, in which a share of the users (`--slow-share`) stops reading after the join.

    No messages are expected by them from then on.
    """

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.slow = self.number % max(1, round(1 / self.options.slow_share)) == 0
        if self.slow:
            self.acts = False
            self.tolerant = True  # the server may disconnect it

    def prepare(self) -> None:
        """Join, and stop reading if this is a slow user."""
        super().prepare()
        if self.slow and self.client is not None:
            self.receiver.pause(self.recorder.now())
            self.client.pause()
