"""The body of a request, never more of it than the limit."""

from __future__ import annotations

from typing import Any

from socketio_cluster.cluster.strict.request import header


class TooLarge(Exception):
    """The body is larger than the limit."""


class Gone(Exception):
    """The client is gone before the end of the body."""


async def read_body(scope: dict[str, Any], receive: Any, limit: int) -> bytes:
    """Read a body of at most ``limit`` bytes.

    Raises ``TooLarge``, before any of it is read when its length was announced, and ``Gone``.
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
