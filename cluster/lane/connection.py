"""A lane: the WebSocket of one client, served without a task, a queue or a coroutine of its own.

``writer`` has the sending half. ``inbound`` handles the packets that come in; while a coroutine handles one
of them, nothing is read from this client.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextvars import copy_context
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from engineio import packet as eio

from socketio_cluster.cluster.lane.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameError,
    FrameReader,
    Message,
    close_code,
    frame,
    lone_text,
)
from socketio_cluster.cluster.lane.writer import CLOSED, CLOSING, OPEN, LaneWriter
from socketio_cluster.cluster.limits.limits import PAYLOAD_TOO_LARGE, TOO_BIG
from socketio_cluster.manager.clients.backpressure import SLOW_CONSUMER

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.install import ServerLanes
    from socketio_cluster.manager.clients.client import Client


logger = logging.getLogger("socketio_cluster.cluster")

AT_ONCE: Final = 64
"""Messages of one client that are handled in one turn of the loop; that takes about a millisecond."""
CLOSE_SECONDS: Final = 10.0
"""Seconds that a client that does not read may hold up the end of its connection, as in uvicorn."""
ANSWER_SECONDS: Final = 2.0
"""Seconds that a client may take to answer our close frame."""
RESTART: Final = 1012
"""The close code of a service that restarts."""


class Lane(LaneWriter):
    """The connection of one Engine.IO socket.

    Args:
        transport: the connection, after the WebSocket handshake.
        connections: uvicorn's set of open connections, which it tells of a shutdown.
        socket: python-engineio's socket.
        group: the things that all lanes of a server share.
    """

    __slots__ = ("_busy", "_connections", "_ended", "_later", "_reader", "context", "main")

    def __init__(
        self, transport: asyncio.Transport, connections: set[Any], socket: Any, group: ServerLanes
    ) -> None:
        super().__init__(transport, socket, group)
        self._connections = connections
        self._reader: FrameReader | None = None
        """None while nothing is half read. It is made when a frame does not come whole and alone."""
        self._busy = False
        """Whether a coroutine handles a packet of this client."""
        self._later: Iterator[Message] = iter(())
        """The messages behind the packet that is being handled; each is read only when its turn has come."""
        self.context = copy_context()
        """The context of the ASGI call: handlers find in it the variables that middlewares have set."""
        self.main: Client | None = None
        """The client in the main namespace, when it has sent an event: to look for it in the tables costs
        several misses of the processor's cache. It may have left since, which its ``state`` says."""
        self._ended: asyncio.Future[None] | None = None
        connections.add(self)

    # in

    def data_received(self, data: bytes) -> None:
        """Read frames, and handle the messages in them."""
        group = self._group
        group.stats.received_bytes += len(data)
        if self.state is OPEN and self._reader is None and not self._busy:
            text = lone_text(data, group.longest_frame)
        else:
            text = None
        if text is None:
            self.context.run(self._read, data)
        elif not group.short(self, text):
            self.context.run(self._handle_text, text)

    def _read(self, data: bytes) -> None:
        if self._reader is None:
            self._reader = FrameReader(self._group.max_message)
        if self._busy:  # TLS may give more after reading was paused
            self._later = chain(self._later, self._reader.feed(data))
        else:
            self._handle_all(self._reader.feed(data))

    def _handle_text(self, payload: bytes) -> None:
        """Handle a text message; nearly always it is all that has come."""
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self._fail(1007, "text that is not UTF-8")
        else:
            self.handle(text)

    def _handle_all(self, messages: Iterator[Message]) -> None:
        """Handle messages, up to AT_ONCE in one turn of the loop.

        Disconnect a client that breaks the protocol.
        """
        try:
            for count, (opcode, payload) in enumerate(messages, 1):
                self._message(opcode, payload)
                if count % AT_ONCE == 0 and not self._busy and self.state < CLOSING:
                    # The rest waits for a later turn of the loop, so that other clients get theirs.
                    self._begin(asyncio.sleep(0))
                if self._busy:
                    self._later = messages
                    return
            if self._reader is not None and self._reader.idle:
                self._reader = None
        except FrameError as error:
            if error.code == TOO_BIG:
                self._group.spawn(self.end(PAYLOAD_TOO_LARGE))
            self._fail(error.code, error.reason)

    def _message(self, opcode: int, payload: bytes) -> None:
        """Handle a message."""
        if self.state >= CLOSING and opcode != CLOSE:
            return  # the client sent it before it had our close frame
        if opcode == TEXT:
            self._handle_text(payload)
        elif opcode == BINARY:
            self.handle(payload)
        elif opcode == PING:
            self.write_answer(frame(PONG, payload))
        elif opcode == CLOSE:
            code = close_code(payload)
            if code == TOO_BIG:
                self._group.message_too_large(self.socket.sid)
            self._fail(1000 if code == 1005 else code, "")

    def handle(self, data: str | bytes) -> None:
        """Handle an Engine.IO packet."""
        work = self._group.inbound.packet(self, data)
        if work is not None:
            self._begin(work)

    def wait_for(self, task: asyncio.Task[None]) -> None:
        """Handle nothing more of this client until a task has ended."""
        self._begin(task)

    def _begin(self, work: Any) -> None:
        self._busy = True
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self._group.spawn(self._finish(work), self.context)

    async def _finish(self, work: Any) -> None:
        """Handle a packet that takes a coroutine, then the packets that came behind it in the same bytes."""
        try:
            await work
            await asyncio.sleep(0)  # so the task of its handler begins before the task of the next event
        finally:
            self._busy = False
            self._handle_all(self._later)
            if not self._busy and not self._transport.is_closing():
                self._transport.resume_reading()

    def eof_received(self) -> bool:
        """Close: a half-open WebSocket is of no use. A relay does this when the other node stops."""
        if not self._transport.can_write_eof():  # with TLS the transport closes now
            self._fail(RESTART, "")
            return False
        self._group.spawn(self._leave())
        return True

    async def _leave(self) -> None:
        """End the session, then close: what is emitted until the disconnect handlers run is still sent."""
        await self._group.handlers.ended(self.socket.sid)
        try:
            await self.end(self._group.reason.TRANSPORT_CLOSE)
        finally:
            self._fail(RESTART, "")

    # end

    async def ended(self) -> None:
        """Return when the connection has ended. Call it once, before that. Cancelling it is safe."""
        self._ended = asyncio.get_running_loop().create_future()
        await self._ended

    def connection_lost(self, exc: Exception | None) -> None:
        """End the session, and take this connection out of uvicorn's set."""
        self._connections.discard(self)
        self.enter(CLOSED)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        self._group.spawn(self.end(self._group.reason.TRANSPORT_CLOSE))

    def shutdown(self) -> None:
        """Close with 1012 (service restart), as uvicorn closes other WebSockets.

        The lane reads on until the client has answered: to close a connection in which something is unread
        resets it, and the reset overtakes the bytes that are on their way to the client.
        """
        self._close_after_answer(RESTART, "")

    def _close_after_answer(self, code: int, reason: str) -> None:
        if self._send_close(code, reason):
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._close)

    async def say_goodbye(self, reason: str) -> None:
        """End the session, then close so that the client has all that waits for it and comes back."""
        try:
            await self.end(reason)
        finally:
            self.shutdown()

    def give_up(self) -> None:
        """Close, if the upgrade is not done yet; the session goes on by polling."""
        if self.state < OPEN:
            self._fail(1002, "upgrade failed")

    def _fail(self, code: int, reason: str) -> None:
        """Send a close frame and close the transport; ``connection_lost`` does the rest."""
        self._send_close(code, reason)
        self._close()

    def cut_off(self) -> str:
        """End this connection and throw away what waits; return the session's id."""
        self.enter(CLOSING)
        self._paused = False
        self._group.spawn(self.end(SLOW_CONSUMER))
        self._transport.abort()
        return str(self.socket.sid)

    def _close(self) -> None:
        if not self._transport.is_closing():
            self._transport.close()
            if self._transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)

    async def end(self, reason: str) -> None:
        """End the Engine.IO session, unless it does not use this lane: then an upgrade has failed."""
        if self._group.lanes.get(self.socket.sid) is not self:
            self.socket.upgrading = False
        elif not self.socket.closed:
            await self._group.close_socket(self.socket, wait=False, abort=True, reason=reason)
        if self.socket.closed:
            self._group.forget(self.socket)

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """Stand in for the socket's own ``close``.

        Send the CLOSE packet and a close frame, close the transport.
        """
        await self._group.close_socket(self.socket, wait=False, abort=abort, reason=reason)
        self._fail(1000, "")
        if self._paused or reason == self._group.reason.PING_TIMEOUT:
            self._transport.abort()  # a close would wait for a client that does not read

    async def send(self, packet: eio.Packet) -> None:
        """Stand in for the socket's own ``send``."""
        if not self.socket.closed:
            self.write_packet(packet)
