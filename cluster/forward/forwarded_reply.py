"""One request on the answering node: ASGI's ``receive`` and ``send``, over a line."""

from __future__ import annotations

import asyncio
from typing import Any

from socketio_cluster.cluster.forward.line import LineLost, NodeLine
from socketio_cluster.cluster.forward.messages import (
    PIECE,
    Ask,
    Headers,
    Piece,
    ReplyHead,
    Waiting,
    decode,
    encode,
)


class ForwardedReply:
    """The request that another node has passed on, and the reply to it."""

    def __init__(self, line: NodeLine, ask: Ask) -> None:
        self._line = line
        self._ask = ask
        self._begun = False
        self._more = ask.more
        self._status = 0
        self._headers: Headers | None = None
        self._said = False
        self._complete = False

    async def receive(self) -> dict[str, Any]:
        """Stand in for ASGI's ``receive``: return the body in pieces, then wait until the client has left."""
        if not self._begun:
            self._begun = True
            return {"type": "http.request", "body": self._ask.body, "more_body": self._more}
        try:
            if self._more:
                return {"type": "http.request", "body": await self._piece(), "more_body": self._more}
        except OSError:
            return {"type": "http.disconnect"}
        await asyncio.shield(self._line.lost)
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Stand in for ASGI's ``send``. For a client that has left it does nothing, and raises nothing."""
        if self._line.lost.done():
            return
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
            return
        more = message.get("more_body", False)
        body = message.get("body", b"")
        for at in range(0, max(1, len(body)), PIECE):
            await self._send_piece(body[at : at + PIECE], more or at + PIECE < len(body))

    async def _send_piece(self, body: bytes, more: bool) -> None:
        if self._said:
            self._line.write(encode(Piece(body, more)))
        else:
            self._said = True
            self._line.write(encode(ReplyHead(self._status, self._headers or [], body, more)))
        self._complete = not more
        try:
            await self._line.drain()
        except LineLost:
            return

    def still_here(self) -> None:
        """Tell the other node that the request is being handled, unless the answer has begun."""
        if not self._said and not self._line.lost.done():
            self._line.write(encode(Waiting()))

    async def finish(self) -> None:
        """Read the rest of a body that the application did not read, so that the line can be used again.

        Raises ``OSError`` when the line cannot: it is lost, or the application gave no whole answer.
        """
        while self._more:
            await self._piece()
        if not self._complete:
            raise ConnectionAbortedError("the server gave no answer")

    async def _piece(self) -> bytes:
        piece = decode(await self._line.read())
        if not isinstance(piece, Piece):
            raise ConnectionError("a piece of the request was due")
        self._more = piece.more
        return piece.body
