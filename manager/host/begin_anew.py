"""What python-socketio and python-engineio keep when the event loop they ran on has ended."""

from __future__ import annotations

from typing import Any


def begin_anew(server: Any) -> None:
    """Forget the connections of a loop that has ended."""
    server.eio.sockets.clear()
    server.environ.clear()
    server._binary_packet.clear()
    watch_anew(server.eio)


def watch_anew(eio: Any) -> None:
    """Let python-engineio start its watch over the connections again, with the next connection.

    It starts it once, and at a second ``shutdown`` it waits for a task that it has no more.
    """
    if eio.service_task_event is not None:
        eio.service_task_event = eio.service_task_handle = None
        eio.start_service_task = True
