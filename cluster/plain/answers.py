"""What is answered to requests that are not for a plain client."""

from __future__ import annotations

from typing import Any

from socketio_cluster.cluster.plain.session import Receive
from socketio_cluster.cluster.plain.writer import Send


async def not_a_websocket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer an HTTP request where a WebSocket is served."""
    await _text(send, 426, b"This address is a WebSocket: connect to it with ws:// or wss://\n")


async def not_found(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer in the place of the application that was not given."""
    if scope["type"] == "http":
        await _text(send, 404, b"Not found\n")
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close"})
    else:
        raise NotImplementedError("no lifespan here")  # servers then go on without


async def _text(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    if status == 426:
        headers.append((b"upgrade", b"websocket"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
