"""skip: a chat where nobody gets their own messages."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.room import Room


class Skip(Room):
    """The scenario `room` with `skip_sid`. A message that comes back to its sender is an error."""

    skip = True
