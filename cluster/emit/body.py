"""The body of a request, up to a size."""

from __future__ import annotations

from typing import Any, Final

from socketio_cluster.cluster.emit.event import BODY_BYTES, BadEvent

DISCARDED_BYTES: Final = 8 * BODY_BYTES
"""So much of a body is read and thrown away before a request is refused.

An unread body would turn the close of the connection into a reset, which can overtake the answer.
"""


class TooLarge(Exception):
    """The body has more than ``BODY_BYTES``."""


class Body:
    """Reads the body of one request.

    Args:
        headers: those of the request, with names in lower case.
        receive: that of ASGI.
    """

    def __init__(self, headers: dict[bytes, bytes], receive: Any) -> None:
        length = headers.get(b"content-length", b"")
        # Ten digits are above every limit, and more of them take time to read.
        self._length = int(length[:10]) if length.isdigit() else 0
        self._receive = receive
        self._more = True

    async def read(self) -> bytes:
        """Return all of it. Raises ``TooLarge``, and ``BadEvent`` when the client leaves before its end."""
        if self._length > BODY_BYTES:
            raise TooLarge
        body = bytearray()
        while self._more:
            body += await self._next()
            if len(body) > BODY_BYTES:
                raise TooLarge
        return bytes(body)

    async def discard(self) -> None:
        """Throw the rest away, unless it is known to be very long."""
        left = DISCARDED_BYTES
        if self._length > left:
            return
        try:
            while self._more and left > 0:
                left -= len(await self._next())
        except BadEvent:
            return  # The client has left, and reads no answer.

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self._more = False
            raise BadEvent("the body has not come whole")
        self._more = message.get("more_body", False)
        return message.get("body", b"")  # type: ignore[no-any-return]
