"""The HTTP answers of an Engine.IO server that do not carry packets."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from socketio_cluster.cluster.limits.admission import FULL, RATE
from socketio_cluster.manager.host.server import Host

Scope = dict[str, Any]


class HttpAnswer(NamedTuple):
    """An HTTP answer."""

    status: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def error(code: int, message: str) -> HttpAnswer:
    """Return an error of the protocol: 400, with the code and the message as JSON."""
    body = json.dumps({"code": code, "message": message}, separators=(",", ":")).encode()
    return HttpAnswer("400 BAD REQUEST", (("Content-Type", "application/json"),), body)


TRANSPORT_UNKNOWN = error(0, "Transport unknown")
SESSION_UNKNOWN = error(1, "Session ID unknown")
BAD_METHOD = error(2, "Bad handshake method")
BAD_REQUEST = error(3, "Bad request")
VERSION_UNSUPPORTED = error(5, "Unsupported protocol version")
CLOSED = HttpAnswer("400 BAD REQUEST")
"""The answer to a request that broke the protocol, and for which the session was closed."""
SECOND_WEBSOCKET = HttpAnswer("101 SWITCHING PROTOCOLS")
"""The answer to a WebSocket for a session that has one: it is opened and closed, as engine.io does.

When it is refused instead, some clients also close the first WebSocket, which works.
"""
BODY_TOO_LARGE = HttpAnswer("413 PAYLOAD TOO LARGE")
# text/html: with text/plain some browsers offer to download it (engine.io's issue 43).
OK = HttpAnswer(
    "200 OK", (("Content-Type", "text/html"), ("Content-Length", "2"), ("Cache-Control", "no-store")), b"ok"
)


def _not_now(seconds: int, text: bytes) -> HttpAnswer:
    """Return the answer of a node that takes no new session.

    503, and the seconds after which to try again.
    """
    headers = (("Retry-After", str(seconds)), ("Content-Type", "text/plain"))
    return HttpAnswer("503 SERVICE UNAVAILABLE", headers, text)


DRAINING = _not_now(1, b"this node takes no new clients: it is about to stop")
NO_ROOM = {
    FULL: _not_now(10, b"this node has as many connections as it may have"),
    RATE: _not_now(1, b"this node takes no more new connections in this second"),
}
"""The answers to a new session that a limit refuses, by the reason."""


async def send_answer(host: Host, answer: HttpAnswer, scope: Scope, receive: Any, send: Any) -> None:
    """Send an answer with CORS headers. A WebSocket gets it in the place of its handshake."""
    environ = await host.environ_of(scope, send)
    if scope["type"] == "websocket" and "websocket.http.response" in scope.get("extensions", {}):
        await receive()  # websocket.connect
        if answer is SECOND_WEBSOCKET:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
            return
        await _refuse_websocket(answer, host.cors_headers(environ), send)
    else:
        response = {"status": answer.status, "headers": list(answer.headers), "response": answer.body}
        await host.respond(response, environ)


async def _refuse_websocket(answer: HttpAnswer, cors: list[tuple[str, str]], send: Any) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in (*answer.headers, *cors)]
    status = int(answer.status.partition(" ")[0])
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
