"""Sessions that end at once: the next request of their client finds an unknown session."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from socketio_cluster.manager.host.hang_up import hang_up


def mark_over(socket: Any) -> None:
    """Let no request of this session in any more, though its disconnect handlers may still run."""
    socket.over = True


def is_over(socket: Any) -> bool:
    """Whether the session has ended at once."""
    return getattr(socket, "over", False)


def cut_off(socket: Any, spawn: Callable[[Coroutine[Any, Any, Any]], None]) -> None:
    """End the session of a client that breaks the protocol; a poll that waits is answered with CLOSE.

    In a task: the application's disconnect handlers may take their time.
    """
    mark_over(socket)
    spawn(hang_up(socket, socket.server.reason.TRANSPORT_ERROR))
