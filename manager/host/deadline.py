"""The deadline by which a new connection has to join a namespace. Otherwise it is closed.

All connections have the same number of seconds. So one queue, in the order of arrival, and one timer are
enough. The queue holds the connections of the last seconds only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from socketio_cluster.manager.host.session import hang_up


class Deadline:
    """Watches the new connections of one server.

    Args:
        eio: the Engine.IO server.
        seconds: how long a connection may do without a namespace.
        joined: tells whether a connection, given by its sid, has joined a namespace.
        spawn: runs a coroutine in a task.
    """

    def __init__(
        self,
        eio: Any,
        seconds: float,
        joined: Callable[[str], bool],
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> None:
        self._eio = eio
        self._seconds = seconds
        self._joined = joined
        self._spawn = spawn
        self._due: deque[tuple[float, str]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def watch(self, eio_sid: str) -> None:
        """Start the time of a connection."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # The last loop has ended, and its connections with it.
            self.close()
            self._loop = loop
        self._due.append((loop.time() + self._seconds, eio_sid))
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._close_late, context=Context())

    def close(self) -> None:
        """Forget all connections."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close_late(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._due and self._due[0][0] <= loop.time():
            _, eio_sid = self._due.popleft()
            socket = self._eio.sockets.get(eio_sid)
            if socket is not None and not socket.closed and not self._joined(eio_sid):
                self._spawn(hang_up(socket, self._eio.reason.SERVER_DISCONNECT))
        if self._due:
            self._timer = loop.call_at(self._due[0][0], self._close_late)
