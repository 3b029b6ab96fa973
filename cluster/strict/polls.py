"""Polls: a session has one at a time, and it ends when the connection of its poll ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from engineio.packet import NOOP

from socketio_cluster.cluster.strict.answers import CLOSED, send_answer
from socketio_cluster.cluster.strict.probe import until_probe_answered
from socketio_cluster.cluster.strict.request import jsonp_index
from socketio_cluster.cluster.strict.rules import cut_off
from socketio_cluster.manager.host.server import Host

NOOP_SECONDS: Final = 0.05
"""How long a poll waits at most while its client upgrades: one that never finishes polls on and on.

engine.io answers such polls every 100 ms.
"""


class Polls:
    """The GETs of one server's sessions.

    When the connection of a poll ends, its session is closed at once, as in engine.io: packets that would be
    written into that poll are lost, and no client polls again after a failed poll. But browsers, aiohttp and
    proxies send a GET again by themselves when its connection breaks, and the packets of an answer that was
    under way are lost then. A client that can recover them is told.

    Args:
        host: the server.
        inner: the function that handles a request after the checks.
        spawn: runs a coroutine in a task.
        recovers: whether the client of a session can come back and get what it has missed.
    """

    def __init__(
        self,
        host: Host,
        inner: Any,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
        recovers: Callable[[str], bool],
    ) -> None:
        self._host = host
        self._eio = host.engine
        self._inner = inner
        self._spawn = spawn
        self._recovers = recovers
        self.waiting: dict[str, object] = {}
        """What stands for the poll that waits, by the session's id."""

    async def serve(self, socket: Any, time: bytes, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer with the packets that wait for the client; wait until there is one.

        For ``time`` see ``is_repeat``.
        """
        if socket.closed:
            await self._last_words(socket, scope, send)
        elif socket.sid in self.waiting or self.is_repeat(socket, time):
            cut_off(socket, self._spawn)
            await send_answer(self._host, CLOSED, scope, receive, send)
        else:
            self.waiting[socket.sid] = scope
            try:
                await self._wait(socket, time, scope, receive, send)
            finally:
                self._ended(socket, scope)

    def is_repeat(self, socket: Any, time: bytes) -> bool:
        """Whether a poll was answered before, and its client gets what it has missed when it comes back.

        ``time`` is what a client puts into each query so that no cache answers. A plain number may be the
        time of a coarse clock, which several polls in turn have.
        """
        if not time or time != getattr(socket, "answered", None) or time.replace(b".", b"").isdigit():
            return False
        return self._recovers(socket.sid)

    def _ended(self, socket: Any, scope: dict[str, Any]) -> bool:
        """Take this poll out of the book; return whether it was still there."""
        if self.waiting.get(socket.sid) is not scope:
            return False  # the client has its answer, and may poll again already
        del self.waiting[socket.sid]
        return True

    async def _wait(self, socket: Any, time: bytes, scope: dict[str, Any], receive: Any, send: Any) -> None:
        request = await receive()
        if request["type"] != "http.request":
            cut_off(socket, self._spawn)
            return

        async def again() -> Any:
            return request

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                self._ended(socket, scope)  # this must come before the client can poll again
                socket.answered = time
            await send(message)

        watch = asyncio.ensure_future(self._watch(socket, scope, receive))
        try:
            if socket.upgrading:  # what waits goes by the other transport: this poll gets a NOOP
                await until_probe_answered(socket, NOOP_SECONDS)
            await self._inner(scope, again, answer)
        finally:
            watch.cancel()

    async def _watch(self, socket: Any, scope: dict[str, Any], receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if self.waiting.get(socket.sid) is scope:
            cut_off(socket, self._spawn)

    async def _last_words(self, socket: Any, scope: dict[str, Any], send: Any) -> None:
        """Send the CLOSE packet to a client that was not polling when its session was closed."""
        self._eio.sockets.pop(socket.sid, None)
        environ = await self._host.environ_of(scope, send)
        packets = [packet for packet in socket.queue.drain() if packet is not None]
        index = jsonp_index(scope)
        await self._host.respond(self._host.poll_answer(packets, jsonp_index=index), environ)


def without_noop(packets: list[Any]) -> list[Any]:
    """Leave out a NOOP, whose purpose is to end a poll, if there are other packets for the answer."""
    return [packet for packet in packets if packet.packet_type != NOOP] or packets[:1]
