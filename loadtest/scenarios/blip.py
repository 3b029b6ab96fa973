"""blip: the bus between the nodes goes and comes back."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.room import Room


class Blip(Room):
    """The scenario `room`, while `--disturb` restarts the bus.

    No client may be disconnected, and each message that is sent meanwhile must arrive.
    """

    recovers = True
