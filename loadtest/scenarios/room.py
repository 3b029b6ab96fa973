"""room: users in rooms who talk to each other."""

from __future__ import annotations

import random

from socketio_cluster.loadtest.address import hosts_of
from socketio_cluster.loadtest.scenarios.base import Scenario


class Room(Scenario):
    """Each user is in `--rooms-per-user` of `--rooms` rooms, and says something in one at each turn."""

    skip = False

    def prepare(self) -> None:
        """Join rooms; neighbours share one, as they differ in host and transport."""
        rooms, block = self.options.rooms, 2 * len(hosts_of(self.environment.host))
        for at in range(min(self.options.rooms_per_user, rooms)):
            self.join(str((self.number // block + at) % rooms))

    def step(self) -> None:
        """Say something in a room."""
        if self.rooms:
            self.say(random.choice(self.rooms), skip=self.skip)
