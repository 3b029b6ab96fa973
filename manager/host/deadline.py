"""Connections that join no namespace are closed.

The time is the same for all, so they wait in a queue that is in the order of their times, and one timer
is enough. The queue holds those that came within that time.
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
        joined: whether a connection has a client.
        spawn: runs a coroutine in a task.
    """

    def __init__(
        self,
        eio: Any,
        seconds: float,
        joined: Callable[[str], bool],
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self._eio = eio
        self._seconds = seconds
        self._joined = joined
        self._spawn = spawn
        self._due: deque[tuple[float, str]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def watch(self, eio_sid: str) -> None:
        """Close this connection if it has joined nothing when its time is over."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the last one has ended, and its connections with it
            self.close()
            self._loop = loop
        self._due.append((loop.time() + self._seconds, eio_sid))
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look, context=Context())

    def close(self) -> None:
        """Watch nothing any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._due and self._due[0][0] <= loop.time():
            _, eio_sid = self._due.popleft()
            socket = self._eio.sockets.get(eio_sid)
            if socket is not None and not socket.closed and not self._joined(eio_sid):
                self._spawn(hang_up(socket, self._eio.reason.SERVER_DISCONNECT))
        if self._due:
            self._timer = loop.call_at(self._due[0][0], self._look)
