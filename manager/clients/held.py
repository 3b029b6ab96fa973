"""What is emitted to a client whose connect handler has not accepted it yet."""

from __future__ import annotations

from socketio_cluster.manager.clients.outgoing import Outgoing


class Held:
    """Events that follow the CONNECT packet, in order, up to a bound.

    Args:
        most: bytes; the event that goes above them is kept, later ones are not.
    """

    __slots__ = ("_bytes", "_most", "events", "too_much")

    def __init__(self, most: int) -> None:
        self.events: list[Outgoing] = []
        self.too_much = False
        """Whether events are missing: then this client is to connect anew, so that it knows."""
        self._bytes = 0
        self._most = most

    def put(self, outgoing: Outgoing) -> None:
        """Keep an event."""
        if self._bytes > self._most:
            self.too_much = True
            return
        self.events.append(outgoing)
        self._bytes += outgoing.encoded.size
