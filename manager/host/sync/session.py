"""Functions for the sessions of a threaded server: python-engineio's sockets, one for each connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from engineio import packet


def hang_up(socket: Any, reason: str) -> None:
    """Close a session.

    A poll is answered with CLOSE. A WebSocket is closed by the thread that writes to it.

    Args:
        socket: python-engineio's socket.
        reason: the text that the disconnect handlers get.
    """
    socket.close(wait=False, abort=socket.upgraded, reason=reason)


def cut(socket: Any) -> None:
    """End the TCP connection of a session's WebSocket at once; do nothing if it has no WebSocket."""
    websocket = getattr(socket, "cuttable", None)
    if websocket is not None:
        websocket.cut()


def ping_with(later: Callable[..., None], socket: Any) -> None:
    """Let the node's event loop send a session's pings.

    python-engineio would keep a sleeping thread for each connection.

    Args:
        later: ``later(seconds, function)`` calls the function after this time.
        socket: python-engineio's socket.
    """

    def schedule() -> None:
        if socket.last_ping:  # As in python-engineio, the next ping waits for the answer to the last one.
            socket.last_ping = None
            later(socket.server.ping_interval, ping)

    def ping() -> None:
        if not (socket.closing or socket.closed):
            socket.last_ping = time.time()
            socket.send(packet.Packet(packet.PING))

    socket.schedule_ping = schedule
