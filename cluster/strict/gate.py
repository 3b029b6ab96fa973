"""The way into the Engine.IO server: what breaks the protocol is refused here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from engineio.packet import NOOP

from cluster.strict.answer import error, give
from cluster.strict.polls import Polls
from cluster.strict.posts import Posts
from cluster.strict.request import Request
from cluster.strict.rules import refusal


class Gate:
    """Stands before ``handle_request`` of an Engine.IO server.

    Args:
        eio: the Engine.IO server.
        spawn: runs a coroutine in a task.
    """

    def __init__(self, eio: Any, spawn: Callable[[Coroutine[Any, Any, Any]], None]) -> None:
        self._eio = eio
        self._inner = eio.handle_request
        self._polls = Polls(eio, self._inner, spawn)
        self._posts = Posts(eio, self._inner, spawn)
        self._ok = eio._ok
        eio.handle_request = self.handle
        eio._ok = self.ok
        eio._bad_request = self.bad_request

    async def handle(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Serve a request of Engine.IO."""
        request = Request.of(scope)
        if request.method == "OPTIONS":
            return await self._inner(scope, receive, send)
        broken = refusal(request, self._eio)
        if broken is not None:
            return await give(self._eio, broken, scope, receive, send)
        if request.sid is None or request.upgrade or (request.jsonp and request.method == "POST"):
            return await self._inner(scope, receive, send)
        method = self._polls.serve if request.method == "GET" else self._posts.serve
        return await method(self._eio.sockets[request.sid], scope, receive, send)

    def ok(self, packets: list[Any] | None = None, **how: Any) -> dict[str, Any]:
        """Answer a poll; a NOOP, there to end it, is left out when something else does."""
        if packets is not None and len(packets) > 1:
            packets = [packet for packet in packets if packet.packet_type != NOOP] or packets[:1]
        return self._ok(packets, **how)  # type: ignore[no-any-return]

    def bad_request(self, message: str = "Bad request") -> dict[str, Any]:
        """Put what python-engineio refuses by itself in the protocol's form."""
        answer = error(3, message)
        return {"status": answer.status, "headers": list(answer.headers), "response": answer.body}
