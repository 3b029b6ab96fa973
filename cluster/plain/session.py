"""One plain client from its handshake to its end: its messages become events and acks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from socketio_cluster.cluster.limits.limits import (
    PAYLOAD_TOO_LARGE,
    POLICY,
    RATE_LIMIT,
    TOO_BIG,
    pacer_of,
    size,
)
from socketio_cluster.cluster.plain.message import BadMessage, Message, check
from socketio_cluster.cluster.plain.returning import announce, end_session
from socketio_cluster.cluster.plain.socket import GOODBYE, REFUSED, PlainSocket
from socketio_cluster.manager.clients.client import CONNECTED
from socketio_cluster.manager.recovery.knowing import wishes_recovery

if TYPE_CHECKING:
    from socketio_cluster.cluster.plain.endpoint import PlainWebSockets

logger = logging.getLogger("socketio_cluster.cluster")

NONSENSE: Final = 10
"""Bad messages in a row, after which a client is disconnected."""
_LEFT: Final = (1000, 1001)
_EVENT: Final = "42[]"
"""The Engine.IO packet that stands for a message in the limit of events: each message is one event."""

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Session:
    """Serves one connection, after its handshake was accepted."""

    def __init__(self, endpoint: PlainWebSockets, socket: PlainSocket, receive: Receive) -> None:
        self._endpoint = endpoint
        self._server = endpoint.server
        self._host = endpoint.manager.host
        self._socket = socket
        self._receive = receive
        self._asks = endpoint.auth
        """Whether the first message has to be a connect event."""
        self._bad = 0
        self._reason: str = endpoint.server.reason.TRANSPORT_ERROR

    async def serve(self, environ: dict[str, Any]) -> None:
        """Connect the client, handle its messages, and disconnect it.

        When cancelled, it still disconnects it.
        """
        reason = self._server.reason.TRANSPORT_ERROR
        try:
            await self._host.connect(self._socket.sid, environ)
            self._socket.recovery = wishes_recovery(environ) or False
            self._asks = self._asks or self._socket.recovery
            if not self._asks:
                await self._connect(None)
            reason = await self._read()
        finally:
            await self._socket.close(reason=reason)
            await self._socket.ended.wait()

    async def _connect(self, auth: Any) -> None:
        await self._host.handle_connect(self._socket.sid, self._endpoint.namespace, auth)

    async def _read(self) -> str:
        """Handle messages until the end of the connection; return the reason of the end."""
        reasons = self._server.reason
        while True:
            await self._socket.writer.readable()
            event = await self._next()
            over = event is None or event["type"] != "websocket.receive"
            if over and self._socket.writer.ending:
                return self._reason  # a goodbye may have given another reason
            if event is None:
                return str(reasons.TRANSPORT_CLOSE)
            if over:
                # uvicorn gives 1005 for a close without a code, and 1005 without a reason for a lost
                # connection.
                said = event.get("code") == 1005 and "reason" in event
                left = said or event.get("code") in _LEFT
                if event.get("code") == TOO_BIG:
                    self._endpoint.manager.message_too_large(self._socket.sid)
                if said or event.get("code") == GOODBYE:
                    end_session(self._endpoint.manager, self._socket, self._endpoint.namespace)
                return str(reasons.CLIENT_DISCONNECT if left else reasons.TRANSPORT_CLOSE)
            text = event.get("text")
            await self._take(event["bytes"] if text is None else text)

    async def _next(self) -> dict[str, Any] | None:
        """Return the next ASGI message; None when the goodbye was sent, or cannot be sent."""
        receiving = asyncio.ensure_future(self._receive())
        writing = self._socket.writer.task
        try:
            await asyncio.wait((receiving, writing), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            receiving.cancel()
            raise
        if receiving.done():
            return receiving.result()
        receiving.cancel()
        await self._socket.writer.over()
        return None

    async def _take(self, data: str | bytes) -> None:
        if self._socket.writer.ending:
            return
        limit = self._server.eio.max_http_buffer_size
        length = size(data)
        if length > limit:
            self._end(TOO_BIG, f"a message has at most {limit} bytes", PAYLOAD_TOO_LARGE)
            return
        self._endpoint.manager.stats.received_bytes += length
        if not await self._in_time():
            self._end(POLICY, "too many events", RATE_LIMIT)
            return
        try:
            await self._handle(self._endpoint.codec.decode(data))
        except BadMessage as error:
            self._complain(str(error), error.ack)
        except Exception:
            logger.exception("a plain client's message cannot be read")
            self._complain("the server could not read this message", None)
        else:
            self._bad = 0

    def _end(self, code: int, text: str, reason: str) -> None:
        self._reason = reason
        self._socket.writer.end(code, text)

    async def _in_time(self) -> bool:
        """Hold up a client that sends too much (cluster/limits).

        Return False when it is to be disconnected.
        """
        pacer = pacer_of(self._host)
        return pacer is None or await pacer.admit(self._socket, (_EVENT,))

    def _complain(self, text: str, ack: int | None) -> None:
        self._bad += 1
        self._socket.writer.write(Message(error=text, ack=ack))
        if self._bad >= NONSENSE:
            self._end(POLICY, f"{NONSENSE} bad messages in a row", self._server.reason.TRANSPORT_ERROR)

    async def _handle(self, message: Message) -> None:
        """Handle a message; raise ``BadMessage`` for one that cannot be used."""
        sid, namespace = self._socket.sid, self._endpoint.namespace
        client = self._endpoint.manager.members.on_connection(sid, namespace)
        if client is None and self._asks:
            await self._first(message)
            return
        message = check(message)
        if client is None or client.state is not CONNECTED:
            return  # the client is refused or disconnected, so its message is dropped
        if message.event is None:
            await self._host.handle_ack(sid, namespace, message.ack, list(message.args))
            return
        args = message.args if message.room is None else (message.room, *message.args)
        self._known(message, client.sid, args)
        work = self._event(message, client.sid, args)
        if self._server.async_handlers:
            handlers = self._endpoint.manager.handlers
            await handlers.room(self._socket.sid)
            handlers.begin(self._socket.sid)
            self._endpoint.manager.spawn(self._counted(work))
        else:
            await work

    async def _counted(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self._endpoint.manager.handlers.end(self._socket.sid)

    async def _first(self, message: Message) -> None:
        if message.event != "connect":
            text = "the first message must be a connect event, with what the application wants as its data"
            self._socket.writer.write(Message(error=text, ack=message.ack))
            self._socket.writer.end(REFUSED, "no connect event")
            return
        announce(self._socket, message)
        await self._connect(message.args[0] if message.args else None)

    def _known(self, message: Message, sid: str, args: tuple[Any, ...]) -> None:
        namespace = self._endpoint.namespace
        if not self._host.handles(str(message.event), namespace, (sid, *args)):
            raise BadMessage(f"nobody here handles the event {message.event!r:.80}", message.ack)

    async def _event(self, message: Message, sid: str, args: tuple[Any, ...]) -> None:
        """Run the application's handler. Its error is logged, and the client is told that there was one."""
        data = [message.event, *args]
        namespace = self._endpoint.namespace
        try:
            await self._host.handle_event_now(sid, self._socket.sid, data, namespace, message.ack)
        except Exception:
            logger.exception("the handler of event %r failed for client %s", message.event, sid)
            text = f"the server failed to handle {message.event!r}"
            self._socket.writer.write(Message(error=text, ack=message.ack))
