"""How many event handlers run for each client of an asyncio server; above a bound it is not read from.

python-socketio starts a task for each event and reads on: a client that sends faster than handlers end would
fill the memory. Handlers of a client that has left run to their end, as in python-socketio, and count.
"""

from __future__ import annotations

import asyncio
from typing import Any

from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.slot import Function
from socketio_cluster.manager.stats import Stats

HANDLER = "_handle_event_internal"
"""What python-socketio runs in a task for each event; its third argument is the connection's sid."""


class Handlers:
    """The handlers that run, by connection.

    Args:
        most: how many may run for one connection.
        stats: where to count them all.
    """

    def __init__(self, most: int, stats: Stats) -> None:
        self._most = most
        self._stats = stats
        self._running: dict[str, int] = {}
        self._room: dict[str, asyncio.Event] = {}

    def watch(self, host: Host) -> None:
        """Count the handlers that a server starts."""
        host.background_task.put("handlers", self._before)

    def _before(self, start: Function) -> Function:
        def start_background_task(target: Any, *args: Any, **kwargs: Any) -> Any:
            task = start(target, *args, **kwargs)
            if getattr(target, "__name__", "") == HANDLER:
                eio_sid = args[2]
                self.begin(eio_sid)
                task.add_done_callback(lambda _: self.end(eio_sid))
            return task

        return start_background_task

    def begin(self, eio_sid: str) -> None:
        """Count one more."""
        self._stats.handlers += 1
        self._running[eio_sid] = self._running.get(eio_sid, 0) + 1

    def end(self, eio_sid: str) -> None:
        """Count one less."""
        self._stats.handlers -= 1
        left = self._running[eio_sid] - 1
        if left:
            self._running[eio_sid] = left
        else:
            del self._running[eio_sid]
        if self._room:
            room = self._room.pop(eio_sid, None)
            if room is not None:
                room.set()

    def full(self, eio_sid: str) -> bool:
        """Whether as many run for this connection as may."""
        return self._running.get(eio_sid, 0) >= self._most

    async def room(self, eio_sid: str) -> None:
        """Return when one more may run for this connection."""
        while self.full(eio_sid):
            await self._room.setdefault(eio_sid, asyncio.Event()).wait()
