"""Sessions that end at once: the next request of their client is for an unknown session."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final
from weakref import WeakSet

from socketio_cluster.manager.host.session import hang_up

_over: Final[WeakSet[Any]] = WeakSet()


def mark_over(socket: Any) -> None:
    """Let no request of this session in any more, though its disconnect handlers may still run."""
    _over.add(socket)


def is_over(socket: Any) -> bool:
    """Whether the session has ended at once."""
    return socket in _over


def cut_off(socket: Any, spawn: Callable[[Coroutine[Any, Any, Any]], None]) -> None:
    """End the session of a client that breaks the protocol; a poll that waits is answered with CLOSE.

    In a task: the application's disconnect handlers may take their time.
    """
    mark_over(socket)
    spawn(hang_up(socket, socket.server.reason.TRANSPORT_ERROR))
