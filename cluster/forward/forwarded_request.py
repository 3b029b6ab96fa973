"""One request on the asking node: it is passed to the node of its session, and the answer is passed back."""

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
"""Seconds after which a silent node is unreachable. A node that works sends something within 1 s."""


class ForwardedRequest:
    """A request of a client, as an ASGI call.

    Args:
        pool: the lines to the node of the session.
    """

    def __init__(self, pool: Pool, scope: Any, receive: Any, send: Any) -> None:
        self.answered = False
        """Whether the beginning of an answer was sent to the client."""
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
        """Pass the request on, and its answer back; return how it ended.

        It raises no errors of the connection to the other node. When it is cancelled, the line is closed.
        """
        event = await self._receive()
        if event["type"] != "http.request":
            return Outcome.LEFT
        try:
            async with asyncio.timeout(REACH_SECONDS):
                reply = await self._ask(event)
            while isinstance(reply, Waiting):
                logger.debug("a request waits at the node of its session")
                # While the node lives: when it is gone, the forwarder closes the line.
                reply = await self._read()
            return await self._pass_back(reply)
        except OSError:
            return Outcome.LEFT if self._left else Outcome.UNREACHABLE
        finally:
            await self._end()

    async def _ask(self, event: Any) -> Message:
        self._line = line = await self._pool.acquire()
        self._more = event.get("more_body", False)
        line.write(encode(ask_of(self._scope, event.get("body", b""), self._more)))
        self._upload = asyncio.create_task(self._watch(line))
        return await self._read()

    async def _watch(self, line: NodeLine) -> None:
        """Pass on the rest of the body; close the line when the client leaves."""
        while True:
            event = await self._receive()
            if event["type"] != "http.request":
                self._left = not self._done
                line.close()
                return
            self._more = event.get("more_body", False)
            line.write(encode(Piece(event.get("body", b""), self._more)))
            await line.drain()

    async def _pass_back(self, reply: Message) -> Outcome:
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
            self._pool.release(self._line)
        else:
            self._line.close()


class Kind(StrEnum):
    """The kinds of requests."""

    POLL = "poll"
    POST = "post"
    WEBSOCKET = "websocket"


class Outcome(StrEnum):
    """How a request that was passed on has ended."""

    OK = "ok"
    """Its node has answered it or, for a WebSocket, has taken the client."""
    LEFT = "left"
    """The client left before the answer."""
    UNKNOWN = "unknown"
    """No live node has such a session."""
    UNREACHABLE = "unreachable"
    """The node seems to live, but cannot be reached or did not react in time."""
    REFUSED = "refused"
    """The node did not take the request."""


@dataclass
class ForwardStats:
    """Counts since the start: requests for sessions of other nodes, by kind and outcome."""

    requests: Counter[tuple[Kind, Outcome]] = field(default_factory=Counter)
    taken: int = 0
    """Requests that other nodes have passed on to this node."""

    def count(self, kind: Kind, outcome: Outcome, node: str) -> None:
        """Count a request that was to be passed on to this node."""
        self.requests[kind, outcome] += 1
        logger.debug("%s for node %s: %s", kind, node, outcome)
