"""POSTs: a polling client sends packets by them, one POST at a time for each session."""

from __future__ import annotations

from collections.abc import Callable, Container, Coroutine
from typing import Any

from socketio_cluster.cluster.limits.limits import RATE_LIMIT, pacer_of
from socketio_cluster.cluster.strict import answers
from socketio_cluster.cluster.strict.answers import HttpAnswer, send_answer
from socketio_cluster.cluster.strict.request import header
from socketio_cluster.cluster.strict.rules import cut_off
from socketio_cluster.manager.host.posts import Malformed, packets_of, parts_of, take
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import hang_up
from socketio_cluster.manager.stats import Stats


class Posts:
    """The POSTs of one server's sessions.

    Args:
        host: the server.
        inner: the function that handles a request after the checks.
        spawn: runs a coroutine in a task.
        stats: the counters of the manager.
        departed: the ids of sessions that this node has ended a moment ago.
    """

    def __init__(
        self,
        host: Host,
        inner: Any,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
        stats: Stats,
        departed: Container[str],
    ) -> None:
        self._host = host
        self._eio = host.engine
        self._stats = stats
        self._inner = inner
        self._spawn = spawn
        self._departed = departed
        self.reading: set[str] = set()
        """The ids of the sessions of which a POST is handled."""

    async def serve(self, socket: Any, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Handle the packets of a POST."""
        environ = await self._host.environ_of(scope, send)
        if not self._host.same_origin(environ):
            await self._inner(scope, receive, send)  # it refuses the origin
            return
        if socket.sid in self.reading or header(scope, b"content-type") == "application/octet-stream":
            answer: HttpAnswer | None = self._end(socket, answers.CLOSED)
        else:
            self.reading.add(socket.sid)
            try:
                answer = await self._take(socket, scope, receive, environ)
            finally:
                self.reading.discard(socket.sid)
        if answer is not None:
            await send_answer(self._host, answer, scope, receive, send)

    async def _take(
        self, socket: Any, scope: dict[str, Any], receive: Any, environ: dict[str, Any]
    ) -> HttpAnswer | None:
        try:
            body = await read_body(scope, receive, self._eio.max_http_buffer_size)
            self._stats.received_bytes += len(body)
            if socket.closed and socket.sid not in self._departed:
                return answers.SESSION_UNKNOWN
            if socket.closing:
                return answers.OK  # its disconnect handlers run already, so its packets are dropped
            pacer = pacer_of(self._host)
            for part in parts_of(packets_of(body)):
                if pacer is not None and not await pacer.admit(socket, part):
                    self._spawn(hang_up(socket, RATE_LIMIT))
                    return answers.OK
                if socket.closed:
                    break
                await take(socket, environ, part)
        except TooLarge:
            return answers.BODY_TOO_LARGE
        except Gone:
            return self._end(socket, None)
        except Malformed:
            return self._end(socket, answers.OK)  # engine.io answers this too, and the poll tells the client
        except (ValueError, RecursionError):  # it is not base64, or its JSON is nested too deeply
            self._spawn(hang_up(socket, self._eio.reason.TRANSPORT_ERROR))
        return answers.OK

    def _end(self, socket: Any, answer: HttpAnswer | None) -> HttpAnswer | None:
        cut_off(socket, self._spawn)
        return answer


class TooLarge(Exception):
    """The body is larger than the limit."""


class Gone(Exception):
    """The client has left before the end of the body."""


async def read_body(scope: dict[str, Any], receive: Any, limit: int) -> bytes:
    """Read a body of at most ``limit`` bytes.

    Raises ``TooLarge``, before any of the body is read when its header announces its length, and ``Gone``.
    """
    announced = header(scope, b"content-length")
    if announced.isdecimal() and int(announced) > limit:
        raise TooLarge
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise TooLarge
    return bytes(body)
