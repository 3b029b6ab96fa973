"""blip: the bus between the nodes goes and comes back."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.room import Room


class Blip(Room):
    """As room; `--disturb` restarts the bus. Nobody is disconnected, and what is said meanwhile must come."""

    recovers = True
