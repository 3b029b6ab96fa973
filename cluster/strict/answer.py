"""The answers of an Engine.IO server that are no packets."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

Scope = dict[str, Any]


class Answer(NamedTuple):
    """An HTTP answer."""

    status: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def error(code: int, message: str) -> Answer:
    """Make one of the protocol's errors: 400 with the code and the message as JSON."""
    body = json.dumps({"code": code, "message": message}, separators=(",", ":")).encode()
    return Answer("400 BAD REQUEST", (("Content-Type", "application/json"),), body)


TRANSPORT_UNKNOWN = error(0, "Transport unknown")
SESSION_UNKNOWN = error(1, "Session ID unknown")
BAD_METHOD = error(2, "Bad handshake method")
BAD_REQUEST = error(3, "Bad request")
VERSION_UNSUPPORTED = error(5, "Unsupported protocol version")
CLOSED = Answer("400 BAD REQUEST")
"""To a request for which the session was closed."""
SECOND_WEBSOCKET = Answer("101 SWITCHING PROTOCOLS")
"""To a WebSocket for a session that has one: it is opened and closed, as by engine.io.

Some clients cannot bear a refusal: the first WebSocket, which serves them well, ends with it.
"""
TOO_LARGE = Answer("413 PAYLOAD TOO LARGE")
# text/html: with text/plain some browsers offer to download it (engine.io's issue 43).
OK = Answer(
    "200 OK", (("Content-Type", "text/html"), ("Content-Length", "2"), ("Cache-Control", "no-store")), b"ok"
)


async def environ_of(eio: Any, scope: Scope, send: Any) -> dict[str, Any]:
    """Give python-engineio's view of a request, without reading any of its body."""

    async def nothing() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    return await eio._async["translate_request"](scope, nothing, send)  # type: ignore[no-any-return]


async def give(eio: Any, answer: Answer, scope: Scope, receive: Any, send: Any) -> None:
    """Send an answer, with CORS headers; a WebSocket gets it instead of its handshake."""
    environ = await environ_of(eio, scope, send)
    if scope["type"] == "websocket" and "websocket.http.response" in scope.get("extensions", {}):
        await receive()  # websocket.connect
        if answer is SECOND_WEBSOCKET:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
            return
        await _refuse_websocket(answer, eio._cors_headers(environ), send)
    else:
        response = {"status": answer.status, "headers": list(answer.headers), "response": answer.body}
        await eio._make_response(response, environ)


async def _refuse_websocket(answer: Answer, cors: list[tuple[str, str]], send: Any) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in (*answer.headers, *cors)]
    status = int(answer.status.partition(" ")[0])
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
