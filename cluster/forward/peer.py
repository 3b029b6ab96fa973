"""A peer: another node that has opened a line to this one, and passes requests on, one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from socketio_cluster.cluster.forward.forwarded_reply import ForwardedReply
from socketio_cluster.cluster.forward.forwarder import Forwarder
from socketio_cluster.cluster.forward.greeting import NotANode, welcome
from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.cluster.forward.messages import Ask, Refusal, decode, encode
from socketio_cluster.manager.ids import node_of

HandOver = Callable[[NodeLine, Forwarder, Ask], None]
"""Gives a line to the server of a forwarder, which serves a client's WebSocket on it from then on."""

logger = logging.getLogger("socketio_cluster.cluster")

GREETING_SECONDS: Final = 5.0
"""Seconds in which the other side must prove that it is a node."""
SIGN_OF_LIFE: Final = 1.0
"""Seconds after which the asking node is told that its request is being handled."""


class Peer:
    """The other end of a line.

    Args:
        line: the line.
        find: returns the forwarder of a node of this process, None for another node.
        connections: the open connections of the process. When it stops it calls ``shutdown`` of each.
        hand_over: takes a line with a client's WebSocket.
    """

    def __init__(
        self,
        line: NodeLine,
        find: Callable[[str], Forwarder | None],
        connections: set[Any],
        hand_over: HandOver,
    ) -> None:
        self._line = line
        self._find = find
        self._connections = connections
        self._hand_over = hand_over
        self._posting = self._stopping = False

    async def serve(self) -> None:
        """Check that the other side is a node, then answer its requests until it closes the line.

        It also returns when the line was given to a client's WebSocket. It logs errors and raises none.
        """
        self._connections.add(self)
        try:
            if await self._converse():
                self._line.close()
        except NotANode as error:
            logger.warning("refused a connection to the internal listener: it %s", error)
            self._line.close()
        except OSError as error:
            logger.debug("a line from another node ended: %s", error)
            self._line.close()
        finally:
            self._connections.discard(self)

    def shutdown(self) -> None:
        """Close the line, but not before a POST that is being handled has its answer; a poll is cut off."""
        self._stopping = True
        if not self._posting:
            self._line.close()

    async def _converse(self) -> bool:
        """Answer request after request; return False when the line was given to a client's WebSocket."""
        async with asyncio.timeout(GREETING_SECONDS):
            owner = await welcome(self._line, self._find)
        while not self._stopping:
            ask = decode(await self._line.read())
            if not isinstance(ask, Ask) or node_of(ask.sid) != owner.node_id:
                self._line.write(encode(Refusal("that session is not one of this node")))
                return True
            if ask.websocket:
                self._hand_over(self._line, owner, ask)
                return False
            await self._answer(owner, ask)
        return True

    async def _answer(self, owner: Forwarder, ask: Ask) -> None:
        reply = ForwardedReply(self._line, ask)
        sign = asyncio.get_running_loop().call_later(SIGN_OF_LIFE, reply.still_here)
        self._posting = ask.method != "GET"
        try:
            await owner.answer(ask.scope(), reply.receive, reply.send)
            await reply.finish()
        except Exception as error:
            if isinstance(error, OSError) and self._line.lost.done():
                raise
            logger.exception("a request that another node passed on failed")
            raise ConnectionAbortedError("the request failed") from error
        finally:
            sign.cancel()
            self._posting = False
