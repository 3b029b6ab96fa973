"""Functions for the sessions of a threaded server: python-engineio's sockets, one for each connection."""

from __future__ import annotations

import asyncio
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
    """Let the node's event loop send a session's pings, and end it when the time for the answer is over.

    python-engineio would keep a sleeping thread for each connection, and look for missing answers later.

    Args:
        later: ``later(seconds, function)`` calls the function on the loop after this time.
        socket: python-engineio's socket.
    """

    def schedule() -> None:
        if socket.last_ping:  # As in python-engineio, the next ping waits for the answer to the last one.
            socket.last_ping = None
            later(socket.server.ping_interval, ping)

    def ping() -> None:
        if not (socket.closing or socket.closed):
            socket.last_ping = sent = time.time()
            socket.send(packet.Packet(packet.PING))
            # This runs on the loop, for which later() waits.
            asyncio.get_running_loop().call_later(socket.server.ping_timeout, end, sent)

    def end(sent: float) -> None:
        if socket.last_ping == sent and not (socket.closing or socket.closed):
            socket.server.start_background_task(hang_up, socket, socket.server.reason.PING_TIMEOUT)

    socket.schedule_ping = schedule
