"""Engine.IO's pings on the node's loop: python-engineio keeps a sleeping thread for each connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from engineio import packet


def ping_with(later: Callable[..., None], socket: Any) -> None:
    """Let ``later(seconds, function)`` wake the pings of an Engine.IO socket."""

    def schedule() -> None:
        if socket.last_ping:  # as python-engineio: the next ping waits for the answer to the last
            socket.last_ping = None
            later(socket.server.ping_interval, ping)

    def ping() -> None:
        if not (socket.closing or socket.closed):
            socket.last_ping = time.time()
            socket.send(packet.Packet(packet.PING))

    socket.schedule_ping = schedule
