"""churn: joins, leaves, connects and disconnects while messages flow."""

from __future__ import annotations

import random

from socketio_cluster.loadtest.scenarios.room import Room

TALK, MOVE = 0.7, 0.95
"""In seven of ten turns a user talks. In nearly all others it changes rooms, in the rest it reconnects."""


class Churn(Room):
    """The scenario `room`, in which users change their rooms and reconnect all the time."""

    def step(self) -> None:
        """Talk, move to another room, or connect anew."""
        chance = random.random()
        if chance < TALK:
            super().step()
        elif chance < MOVE:
            self._move()
        else:
            self.disconnect()
            self.connect()

    def _move(self) -> None:
        if self.rooms:
            self.leave(random.choice(self.rooms))
        others = {str(at) for at in range(self.options.rooms)} - set(self.rooms)
        if others:
            self.join(random.choice(sorted(others)))
