"""The limit on the event handlers that run for one client of an asyncio server.

python-socketio starts a task for each event and goes on reading. A client that sends faster than the handlers
end would fill the memory. Here a client at the limit is not read from. The handlers of a client that has left
run to their end, as in python-socketio, and still count.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.slot import Function
from socketio_cluster.manager.stats import Stats

END_SECONDS: Final = 2.0
"""How long the end of a connection waits for its handlers: most take milliseconds, some go on for ever."""
HANDLER = "_handle_event_internal"
"""The method that python-socketio runs in a task for each event.

Its third argument is the connection's sid.
"""


class Handlers:
    """Counts the handlers that run for each connection.

    Args:
        most: the most handlers that may run for one connection.
        stats: counts the handlers of all connections.
    """

    def __init__(self, most: int, stats: Stats) -> None:
        self._most = most
        self._stats = stats
        self.running: dict[str, int] = {}
        """How many handlers run, by the connections that have any."""
        self._room: dict[str, asyncio.Event] = {}
        self._rest: dict[str, asyncio.Event] = {}

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
        """Count one more handler."""
        self._stats.handlers += 1
        self.running[eio_sid] = self.running.get(eio_sid, 0) + 1

    def end(self, eio_sid: str) -> None:
        """Count one handler less, and wake a reader that waits for it."""
        self._stats.handlers -= 1
        left = self.running[eio_sid] - 1
        if left:
            self.running[eio_sid] = left
        else:
            del self.running[eio_sid]
            if self._rest:
                rest = self._rest.pop(eio_sid, None)
                if rest is not None:
                    rest.set()
        if self._room:
            room = self._room.pop(eio_sid, None)
            if room is not None:
                room.set()

    def full(self, eio_sid: str) -> bool:
        """Whether the connection is at its limit."""
        return self.running.get(eio_sid, 0) >= self._most

    async def room(self, eio_sid: str) -> None:
        """Return when one more handler may run for this connection. Cancelling is safe."""
        while self.full(eio_sid):
            await self._room.setdefault(eio_sid, asyncio.Event()).wait()

    async def ended(self, eio_sid: str) -> None:
        """Return at a moment at which none runs for this connection, after ``END_SECONDS`` in any case."""
        if eio_sid in self.running:
            rest = self._rest.setdefault(eio_sid, asyncio.Event())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rest.wait(), END_SECONDS)
