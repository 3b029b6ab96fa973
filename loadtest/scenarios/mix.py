"""mix: polling and WebSocket clients in the same rooms."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.room import Room


class Mix(Room):
    """The scenario `room`, in which every second user polls."""

    @property
    def transport(self) -> str:
        """Poll as every second user, whatever `--transport` says."""
        return ("websocket", "polling")[self.number % 2]
