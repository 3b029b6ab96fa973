"""One clock for the pings of all connections.

python-engineio starts a task per connection for the next ping, and a service task that looks at one
connection at a time for a missing pong. The interval is the same for all, so the connections wait in
a queue that is already in the order of their times, and one timer is enough.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, Final

from engineio import packet

GRAIN: Final = 0.25
"""Seconds between looks at the queues: a ping may be so much late."""


class PingClock:
    """Pings every connection of one Engine.IO server, and closes those that do not answer.

    ``add`` is what python-engineio calls when a connection is new or has answered a ping.
    """

    def __init__(self, eio: Any) -> None:
        self._eio = eio
        self._due: deque[tuple[float, Any]] = deque()
        self._unanswered: deque[tuple[float, Any, float | None]] = deque()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Any) -> None:
        """Ping this connection after the interval."""
        self._due.append((time.monotonic() + self._eio.ping_interval, socket))
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Stop."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(GRAIN)
            await self._ping(time.monotonic())
            await self._bury(time.monotonic())

    async def _ping(self, now: float) -> None:
        ping = packet.Packet(packet.PING)
        while self._due and self._due[0][0] <= now:
            _, socket = self._due.popleft()
            alive = not (socket.closing or socket.closed)
            if alive:
                socket.last_ping = time.time()
            self._unanswered.append((now + self._eio.ping_timeout, socket, socket.last_ping))
            if alive:
                await socket.send(ping)

    async def _bury(self, now: float) -> None:
        """Close what has not answered in time, and forget what is closed."""
        while self._unanswered and self._unanswered[0][0] <= now:
            _, socket, sent = self._unanswered.popleft()
            if socket.closed:
                self._eio.sockets.pop(socket.sid, None)
            elif socket.closing:
                # Its disconnect handler is running.
                self._unanswered.append((now + self._eio.ping_timeout, socket, sent))
            elif socket.last_ping == sent:
                # A task of its own: the application's disconnect handler may take its time.
                self._eio.start_background_task(self._timed_out, socket)

    async def _timed_out(self, socket: Any) -> None:
        await socket.close(wait=False, abort=False, reason=self._eio.reason.PING_TIMEOUT)
        self._eio.sockets.pop(socket.sid, None)
