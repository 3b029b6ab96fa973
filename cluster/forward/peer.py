"""A caller: another node that has a line to this one, and the requests it passes on, one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from uvicorn import Config
from uvicorn.server import ServerState

from socketio_cluster.cluster.forward.forwarded_reply import ForwardedReply
from socketio_cluster.cluster.forward.forwarder import Forwarder
from socketio_cluster.cluster.forward.greeting import NotANode, welcome
from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.cluster.forward.messages import Ask, Refusal, decode, encode
from socketio_cluster.cluster.http.websocket import serve_websocket
from socketio_cluster.manager.ids import node_of

logger = logging.getLogger("socketio_cluster.cluster")

GREETING_SECONDS: Final = 5.0
"""A stranger is not waited for any longer."""
SIGN_OF_LIFE: Final = 1.0
"""Seconds after which the asking node is told that its request is being handled."""


class Peer:
    """The other end of a line. uvicorn knows it as one of its connections, and waits for it when it stops.

    Args:
        line: the line.
        find: gives the forwarder of a node of this process.
        config: the WebSockets are served with, its ``loaded_app`` replaced.
        state: uvicorn's connections and tasks.
    """

    def __init__(
        self, line: NodeLine, find: Callable[[str], Forwarder | None], config: Config, state: ServerState
    ) -> None:
        self._line = line
        self._find = find
        self._config = config
        self._state = state
        self._posting = self._stopping = False

    async def serve(self) -> None:
        """Make sure of the caller, then answer until it hangs up or its line becomes a client's."""
        connections: set[Any] = self._state.connections
        connections.add(self)
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
            connections.discard(self)

    def shutdown(self) -> None:
        """Hang up, after a POST that is being handled; a poll that waits is of no use any more."""
        self._stopping = True
        if not self._posting:
            self._line.close()

    async def _converse(self) -> bool:
        """Answer request after request; False when the line is a client's from now on."""
        async with asyncio.timeout(GREETING_SECONDS):
            owner = await welcome(self._line, self._find)
        while not self._stopping:
            ask = decode(await self._line.read())
            if not isinstance(ask, Ask) or node_of(ask.sid) != owner.node_id:
                self._line.write(encode(Refusal("that session is not one of this node")))
                return True
            if ask.websocket:
                self._hand_over(owner, ask)
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

    def _hand_over(self, owner: Forwarder, ask: Ask) -> None:
        """Let uvicorn serve a client's WebSocket on this line, as one that it has accepted itself."""
        serve_websocket(
            self._line.transport,
            ask.head() + self._line.rest(),
            config=self._config,
            state=self._state,
            app=owner.answer,
            client=ask.client,
            scheme=ask.scheme,
        )
