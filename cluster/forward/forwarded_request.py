"""An forwarded: one request carried to the node that has its session, and the answer brought back."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.cluster.forward.messages import (
    Message,
    Piece,
    Refusal,
    ReplyHead,
    Waiting,
    ask_of,
    decode,
    encode,
)
from socketio_cluster.cluster.forward.pool import Pool

logger = logging.getLogger("socketio_cluster.cluster")

REACH_SECONDS: Final = 2.5
"""A node that says nothing for so long is unreachable. One that works says something after 1 s at most."""


class ForwardedRequest:
    """A request of a client, as an ASGI call.

    Args:
        pool: the lines to the node that has the session.
    """

    def __init__(self, pool: Pool, scope: Any, receive: Any, send: Any) -> None:
        self.answered = False
        """Whether the client has got the beginning of an answer."""
        self._pool = pool
        self._scope = scope
        self._receive = receive
        self._send = send
        self._more = True
        self._left = False
        self._done = False
        self._line: NodeLine | None = None
        self._upload: asyncio.Task[None] | None = None

    async def run(self) -> Outcome:
        """Carry it there and back."""
        event = await self._receive()
        if event["type"] != "http.request":
            return Outcome.LEFT
        try:
            async with asyncio.timeout(REACH_SECONDS):
                reply = await self._ask(event)
            while isinstance(reply, Waiting):
                logger.debug("a request waits at the node of its session")
                reply = await self._read()  # for as long as the node lives: the forwarder watches that
            return await self._bring(reply)
        except OSError:
            return Outcome.LEFT if self._left else Outcome.UNREACHABLE
        finally:
            await self._end()

    async def _ask(self, event: Any) -> Message:
        self._line = line = await self._pool.take()
        self._more = event.get("more_body", False)
        line.write(encode(ask_of(self._scope, event.get("body", b""), self._more)))
        self._upload = asyncio.create_task(self._watch(line))
        return await self._read()

    async def _watch(self, line: NodeLine) -> None:
        """Carry the rest of the body; a client that goes away ends the line."""
        while True:
            event = await self._receive()
            if event["type"] != "http.request":
                self._left = not self._done
                line.close()
                return
            self._more = event.get("more_body", False)
            line.write(encode(Piece(event.get("body", b""), self._more)))
            await line.drain()

    async def _bring(self, reply: Message) -> Outcome:
        if isinstance(reply, Refusal):
            return Outcome.REFUSED
        if not isinstance(reply, ReplyHead):
            raise ConnectionError("an answer was due")
        self.answered = True
        await self._send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        piece: Message = reply
        while isinstance(piece, ReplyHead | Piece):
            self._done = not piece.more
            await self._send({"type": "http.response.body", "body": piece.body, "more_body": piece.more})
            if self._done:
                return Outcome.OK
            piece = await self._read()
        raise ConnectionError("a piece of the answer was due")

    async def _read(self) -> Message:
        assert self._line is not None
        return decode(await self._line.read())

    async def _end(self) -> None:
        if self._upload is not None:
            self._upload.cancel()
            await asyncio.gather(self._upload, return_exceptions=True)
        if self._line is None:
            return
        if self._done and not self._more:
            self._pool.give(self._line)
        else:
            self._line.close()


class Kind(StrEnum):
    """What kind of request."""

    POLL = "poll"
    POST = "post"
    WEBSOCKET = "websocket"


class Outcome(StrEnum):
    """What became of it."""

    OK = "ok"
    """Answered by its node, or for a WebSocket: handed over to it."""
    LEFT = "left"
    """The client went away before the answer."""
    UNKNOWN = "unknown"
    """No live node has such a session."""
    UNREACHABLE = "unreachable"
    """The node lives, as far as is known, but cannot be reached or did not react in time."""
    REFUSED = "refused"
    """The node would not take it."""


@dataclass
class ForwardStats:
    """Requests for sessions of other nodes since the start, by kind and outcome."""

    requests: Counter[tuple[Kind, Outcome]] = field(default_factory=Counter)
    taken: int = 0
    """Requests that other nodes have passed on to this one."""

    def count(self, kind: Kind, outcome: Outcome, node: str) -> None:
        """Count one."""
        self.requests[kind, outcome] += 1
        logger.debug("%s for node %s: %s", kind, node, outcome)
