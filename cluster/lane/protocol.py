"""The WebSocket protocol that uvicorn uses: its own, until a Socket.IO connection leaves it.

The handshake is ordinary ASGI, so middlewares, mounts, refusals and other WebSocket routes of the app
work as ever. A connection that python-engineio has accepted may then be taken over: from then on the
transport belongs to a lane, and the ASGI call ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from websockets.http11 import Request

from cluster.forward.way_out import RelayProtocol, Released

EXTENSION: Final = "socketio.lane"
"""Under this name in ``scope["extensions"]`` the app finds the function that takes over."""


class LaneProtocol(RelayProtocol):
    """uvicorn's protocol with another way out, after the handshake."""

    def handle_connect(self, event: Request) -> None:
        """Offer the way out in the scope."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][EXTENSION] = self.take_over  # type: ignore[assignment]

    def take_over(self, make: Callable[[asyncio.Transport, set[Any]], asyncio.Protocol]) -> bool:
        """Give the accepted connection to another protocol; False when that cannot be done cleanly.

        Args:
            make: gets the transport and uvicorn's set of open connections.
        """
        untouched = self.handshake_complete and not self.close_sent and not self.disconnected
        if not untouched or self.conn.reader.buffer or not self.queue.empty() or self.conn.extensions:
            return False
        transport, self.transport = self.transport, Released()  # type: ignore[assignment]
        self.connections.discard(self)
        self.stop_keepalive()
        protocol = make(transport, self.connections)
        transport.set_protocol(protocol)
        if self.read_paused:
            transport.resume_reading()
        return True
