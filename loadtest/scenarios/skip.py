"""skip: a chat where nobody gets their own messages."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.room import Room


class Skip(Room):
    """As room, with skip_sid: a message that comes back to its sender has leaked."""

    skip = True
