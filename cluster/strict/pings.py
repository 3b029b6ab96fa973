"""One clock for the pings of all connections.

python-engineio starts a task for each connection and ping, and a service task that looks at one connection at
a time for a missing pong. The interval is the same for all connections, so a queue of them is always in the
order of their times, and one timer is enough. It is set for the first of them, so a session without a pong
ends exactly when the protocol says so.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, Final

from engineio import json, packet

from socketio_cluster.cluster.strict.rules import mark_over
from socketio_cluster.manager.clients.compact_json import PacketJson
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import pinged_by

EARLY_SECONDS: Final = 0.02
"""Seconds by which a ping may be early: pings that are due within this time leave together."""


class PingClock:
    """Pings every connection of one Engine.IO server, and closes those that do not answer."""

    def __init__(self, host: Host) -> None:
        self._eio = host.engine
        self._due: deque[tuple[float, Any]] = deque()
        self._unanswered: deque[tuple[float, Any, float | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._start_task = host.background_task.outermost
        host.background_task.put("pings", lambda _: self.start_background_task)
        host.without_service_task()

    def start_background_task(self, target: Any, *args: Any, **kwargs: Any) -> Any:
        """Start a task.

        The task of a ping is not started: its connection waits here until the ping is due.
        """
        socket = pinged_by(target)
        if socket is None:
            return self._start_task(target, *args, **kwargs)
        self._due.append((time.monotonic() + self._eio.ping_interval, socket))
        if self._timer is None:
            self._set_timer(self._eio.ping_interval)
        return None

    def _set_timer(self, seconds: float) -> None:
        # Otherwise the timer would run in the context of the connection that happens to be the first.
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look, context=Context())

    def _look(self) -> None:
        now = time.monotonic()
        self._timer = None
        pinged = self._ping(now)
        if pinged:
            self._start_task(self._send, pinged)
        self._close_silent(now)
        times = [queue[0][0] for queue in (self._due, self._unanswered) if queue]
        if times:
            self._set_timer(max(0.001, min(times) - now))

    def _ping(self, now: float) -> list[Any]:
        """Return the connections that are to be pinged now."""
        pinged = []
        while self._due and self._due[0][0] <= now + EARLY_SECONDS:
            due, socket = self._due.popleft()
            if not (socket.closing or socket.closed):
                socket.last_ping = time.time()
                pinged.append(socket)
            self._unanswered.append((max(due, now) + self._eio.ping_timeout, socket, socket.last_ping))
        return pinged

    async def _send(self, sockets: list[Any]) -> None:
        ping = packet.Packet(packet.PING)
        for socket in sockets:
            if not socket.closed:
                await socket.send(ping)

    def _close_silent(self, now: float) -> None:
        """Close the connections that have not answered in time, and forget those that are closed."""
        while self._unanswered:
            until, socket, sent = self._unanswered[0]
            answered = socket.last_ping != sent and not (socket.closing or socket.closed)
            if until > now and not answered:
                return
            self._unanswered.popleft()
            if socket.closed:
                self._eio.sockets.pop(socket.sid, None)
            elif socket.closing:
                # Its disconnect handler still runs.
                self._unanswered.append((now + self._eio.ping_timeout, socket, sent))
            elif not answered:
                mark_over(socket)
                # It gets a task of its own, because the application's disconnect handler may take long.
                self._start_task(self._timed_out, socket)

    async def _timed_out(self, socket: Any) -> None:
        await socket.close(wait=False, abort=False, reason=self._eio.reason.PING_TIMEOUT)
        self._eio.sockets.pop(socket.sid, None)


def correct_opening(host: Host) -> None:
    """Correct the times in the OPEN packet of each new session of a server.

    python-engineio cuts the ping interval to whole seconds. With 25.5 s the client would give up half a
    second too early, with 0.3 s at once.
    """

    def before(connect: Callable[..., Any]) -> Callable[..., Any]:
        async def connected(eio_sid: str, environ: dict[str, Any]) -> Any:
            # The OPEN packet is the only one in the queue yet. A plain client has none.
            queue = host.engine.sockets[eio_sid].queue
            if not queue.empty():
                opening = queue.get_nowait()
                queue.task_done()
                _correct(opening, host.engine)
                queue.put_nowait(opening)
            return await connect(eio_sid, environ)

        return connected

    host.connect.put("strict", before)


def _correct(opening: Any, eio: Any) -> None:
    opening.data["pingInterval"] = round((eio.ping_interval + eio.ping_interval_grace_period) * 1000)
    opening.data["pingTimeout"] = round(eio.ping_timeout * 1000)
    if opening.json is json:
        opening.json = PacketJson
