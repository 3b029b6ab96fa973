"""The gate stands before the Engine.IO server, and refuses requests that break the protocol or a limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from socketio_cluster.cluster.limits.limits import admission_of
from socketio_cluster.cluster.strict.answers import (
    NO_ROOM,
    OK,
    SESSION_UNKNOWN,
    VERSION_UNSUPPORTED,
    HttpAnswer,
    error,
    send_answer,
)
from socketio_cluster.cluster.strict.pings import PingClock, correct_opening
from socketio_cluster.cluster.strict.polls import Polls, without_noop
from socketio_cluster.cluster.strict.posts import Posts
from socketio_cluster.cluster.strict.request import EngineRequest, choose_subprotocol
from socketio_cluster.cluster.strict.rules import refusal
from socketio_cluster.cluster.strict.websocket import check_websockets
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.stats import Stats

CROSSING_SECONDS: Final = 5.0
"""Seconds that a POST may be on its way while the CLOSE packet goes to its client, perhaps by another
node."""


NAME: Final = "strict"
OLD_CLIENT: Final = (
    "a client of Socket.IO 2 was refused, as all of that version (EIO=3) are: its page or program needs"
    " socket.io-client 4 (said once)"
)

log = logging.getLogger("socketio_cluster.cluster")


class Gate:
    """Stands before the requests of an Engine.IO server.

    Args:
        host: the server.
        spawn: runs a coroutine in a task.
        stats: the counters of the manager.
        recovers: whether the client of a session can come back and get what it has missed.
    """

    def __init__(
        self,
        host: Host,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
        stats: Stats,
        recovers: Callable[[str], bool],
    ) -> None:
        self._host = host
        self._eio = host.engine
        self._stats = stats
        self._inner = inner = host.engine_request.outermost
        self._polls = Polls(host, inner, spawn, recovers)
        self.waiting = self._polls.waiting
        """The polls that wait, by the session's id; the short way of polling adds its own."""
        self.is_repeat = self._polls.is_repeat
        self._departed: set[str] = set()
        self._posts = Posts(host, inner, spawn, stats, self._departed)
        self.reading = self._posts.reading
        """The sessions of which a POST is handled; the short way adds its own."""
        self._told = False
        """Whether a client of an old version was named in the log."""
        self.closed: HttpAnswer | None = None
        """The answer to every new session, when this node takes none any more; None while it does."""
        host.engine_request.put("strict", lambda _: self.handle)
        host.poll_answer.put("strict", self._before_answer)
        host.use_bad_request(bad_request)

    async def handle(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Serve a request of Engine.IO."""
        if scope["type"] == "websocket":
            send = choose_subprotocol(scope, send)
        request = EngineRequest.of(scope)
        if request.method == "OPTIONS":
            return await self._inner(scope, receive, send)
        broken = refusal(request, self._eio)
        if broken is VERSION_UNSUPPORTED and request.version == "3" and not self._told:
            self._told = True
            log.warning(OLD_CLIENT)
        if broken is None and request.sid is None:
            broken = self.turn_away()
        elif broken is SESSION_UNKNOWN and request.method == "POST" and request.sid in self._departed:
            broken = OK  # after the goodbye its client must not see an error
        elif broken is not None and request.sid is None:
            self._stats.turned_away["protocol"] += 1
        if broken is not None:
            return await send_answer(self._host, broken, scope, receive, send)
        if request.sid is None or request.upgrade:
            return await self._inner(scope, receive, send)
        socket = self._eio.sockets[request.sid]
        if request.method == "GET":
            return await self._polls.serve(socket, request.time.encode(), scope, receive, send)
        return await self._posts.serve(socket, scope, receive, send)

    def expect_late_posts(self, sid: str) -> None:
        """Answer POSTs of a session that this node has ended with ``ok``, for CROSSING_SECONDS."""
        self._departed.add(sid)
        asyncio.get_running_loop().call_later(CROSSING_SECONDS, self._departed.discard, sid)

    def turn_away(self) -> HttpAnswer | None:
        """Return the answer that refuses a new session, which is counted; None lets it in."""
        if self.closed is not None:
            self._stats.turned_away["draining"] += 1
            return self.closed
        admission = admission_of(self._host)
        reason = None if admission is None else admission.refusal(self._stats)
        return None if reason is None else NO_ROOM[reason]

    def _before_answer(self, make: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        def poll_answer(packets: list[Any] | None = None, **how: Any) -> dict[str, Any]:
            """Answer a poll."""
            answer = make(packets and without_noop(packets), **how)
            self._stats.sent_bytes += len(answer["response"])
            return answer

        return poll_answer


def bad_request(message: str = "Bad request") -> dict[str, Any]:
    """Return the protocol's error 3, for requests that python-engineio itself refuses."""
    answer = error(3, message)
    return {"status": answer.status, "headers": list(answer.headers), "response": answer.body}


class Strict:
    """The layer that makes an Engine.IO server answer as the JavaScript server does."""

    name = NAME

    def install(self, manager: ClusterManager) -> Gate:
        """Check requests, packets and WebSockets of a manager's server."""
        host = manager.host
        PingClock(host)
        correct_opening(host)
        check_websockets(host, manager.stats, manager.message_too_large)

        def recovers(eio_sid: str) -> bool:
            return any(client.session for client in manager.members.of_connection(eio_sid))

        return Gate(host, manager.spawn, manager.stats, recovers)


def gate_of(host: Host) -> Gate | None:
    """Return the gate of a server; None when it is not served by a worker of ``serve``."""
    return host.layers.get(NAME)
