"""The short way of an event for the main namespace that comes alone, in one text frame, as most do.

It takes fewer steps from the text to the handler than the general way, by ``inbound`` and ``events.read``.
Everything else goes that way, and so do the events of a client of which a handler is waiting. A CONNECT
packet that comes alone is found here too, so that its handler can begin at once. Tests compare both ways.

``_short.c`` does the same in C for most events: what changes here about an event changes there too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from socketio_cluster.cluster.lane.events import Event, decode, may_hold_long_integer
from socketio_cluster.cluster.lane.handling import Handling
from socketio_cluster.cluster.limits.limits import pacer_of
from socketio_cluster.manager.clients.client import CONNECTED
from socketio_cluster.manager.clients.packets import RESERVED

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.connection import Lane
    from socketio_cluster.manager.client_manager import ClusterManager


class Shortcut:
    """The short way to the handlers of one server.

    Args:
        manager: the manager of the server.
        handling: runs the handlers.
        direct: whether the server brings events to handlers as python-socketio does.
        connect: handles a CONNECT packet; its arguments and its result are those of ``take``.
    """

    def __init__(
        self,
        manager: ClusterManager,
        handling: Handling,
        direct: bool,
        connect: Callable[[Lane, bytes], bool],
    ) -> None:
        self._begin = handling.begin
        self._connect = connect
        self.open = direct and pacer_of(manager.host) is None
        """Whether any event may go this way."""
        self._half_read = manager.host.half_read
        self._running = manager.handlers.running
        self._on_connection = manager.members.on_connection

    def take(self, lane: Lane, text: bytes) -> bool:
        """Handle the text of a frame that came alone to an open lane.

        Return False, before anything has happened, if it must go the general way.
        """
        start = text.find(b"[", 2, 18)
        ack_id = text[2:start]
        if (
            start < 2
            or text[:2] != b"42"
            or (ack_id and not ack_id.isdigit())
            or not self.open
            or self._half_read
            or may_hold_long_integer(text)
        ):
            return text[:2] == b"40" and self.open and not self._half_read and self._connect(lane, text)
        client = lane.main
        if client is None or client.state is not CONNECTED:
            client = lane.main = self._on_connection(lane.socket.sid, "/")
            if client is None or client.state is not CONNECTED:
                return False
        if self._running and lane.socket.sid in self._running:
            return False
        try:
            data = decode(text[start:])
        except (ValueError, RecursionError):
            return False
        if not data or type(data[0]) is not str or data[0] in RESERVED:
            return False
        self._begin(lane, client.sid, Event(data.pop(0), "/", int(ack_id) if ack_id else None, data))
        return True
