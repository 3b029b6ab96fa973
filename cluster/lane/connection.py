"""A lane: one client's WebSocket, driven without a task, a queue or a coroutine of its own.

Out: see ``writer``.

In: see ``inbound``. While a packet of this client is being handled by a coroutine, reading stands still.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Iterator
from contextvars import copy_context
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
)
from socketio_cluster.cluster.lane.writer import NOWHERE, LaneWriter
from socketio_cluster.cluster.limits.limits import PAYLOAD_TOO_LARGE, TOO_BIG
from socketio_cluster.manager.clients.backpressure import SLOW_CONSUMER

if TYPE_CHECKING:
    from engineio.packet import Packet

    from socketio_cluster.cluster.lane.install import ServerLanes


logger = logging.getLogger("socketio_cluster.cluster")

AT_ONCE: Final = 64
"""Messages of one client that are handled in one turn of the loop: about a millisecond."""
_IN_ORDER: Final = (TEXT, BINARY, CLOSE)
CLOSE_SECONDS: Final = 10.0
"""How long a client that does not read may hold up the end of its connection; as uvicorn's own."""
ANSWER_SECONDS: Final = 2.0
"""How long a client may take to answer our close frame."""
RESTART: Final = 1012
"""The close code of a service that restarts."""


class Lane(LaneWriter):
    """The connection of one Engine.IO socket.

    Args:
        transport: the connection, after the WebSocket handshake.
        connections: uvicorn's open connections, to be told of a shutdown.
        socket: python-engineio's socket.
        group: what all lanes of a server share.
    """

    __slots__ = ("_busy", "_connections", "_ended", "_later", "_reader", "context", "socket", "upgrade")

    def __init__(
        self, transport: asyncio.Transport, connections: set[Any], socket: Any, group: ServerLanes
    ) -> None:
        super().__init__(transport, group)
        self._connections = connections
        self._reader = FrameReader(group.max_message)
        self._busy = False
        self._later: deque[Message] | None = None
        self.socket = socket
        self.upgrade: str | None = None
        self.context = copy_context()
        """That of the ASGI call whose connection this was: handlers find what middlewares have set."""
        self._ended: asyncio.Future[None] | None = None
        connections.add(self)

    # in

    def data_received(self, data: bytes) -> None:
        """Read frames."""
        self.context.run(self._read, data)

    def _read(self, data: bytes) -> None:
        self._group.stats.received_bytes += len(data)
        text = self._reader.text(data)
        self._take_in(((TEXT, text),) if text is not None else self._reader.feed(data))

    def _take_in(self, messages: Iterable[Message]) -> None:
        """Handle messages, so many in one turn of the loop; who breaks the protocol is disconnected."""
        try:
            for count, (opcode, payload) in enumerate(messages, 1):
                self._message(opcode, payload)
                if count % AT_ONCE == 0 and not self._busy and self._pending is not NOWHERE:
                    self._begin(asyncio.sleep(0))  # the rest is for a later turn: others have theirs first
        except FrameError as error:
            if error.code == TOO_BIG:
                self._group.spawn(self.end(PAYLOAD_TOO_LARGE))
            self._fail(error.code, error.reason)
        except UnicodeDecodeError:
            self._fail(1007, "text that is not UTF-8")

    def _message(self, opcode: int, payload: bytes) -> None:
        """Handle a message now, or after the one that is being handled; a ping is answered at once."""
        if self._pending is NOWHERE and opcode != CLOSE:
            return  # sent before the client had our goodbye
        if self._busy and opcode in _IN_ORDER:
            if self._later is None:
                self._later = deque()
            self._later.append((opcode, payload))
        elif opcode == TEXT:
            self.take(payload.decode())
        elif opcode == BINARY:
            self.take(payload)
        elif opcode == PING:
            self.write_frame(frame(PONG, payload))
        elif opcode == CLOSE:
            code = close_code(payload)
            self._fail(1000 if code == 1005 else code, "")

    def take(self, data: str | bytes) -> None:
        """Handle an Engine.IO packet."""
        work = self._group.inbound.packet(self, data)
        if work is not None:
            self._begin(work)

    def _begin(self, work: Any) -> None:
        self._busy = True
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self._group.spawn(self._finish(work), self.context)

    async def _finish(self, work: Any) -> None:
        """Handle a packet that takes a coroutine, then those that came behind it in the same bytes."""
        try:
            await work
            await asyncio.sleep(0)  # the task of its handler begins before that of the next event
        finally:
            self._busy = False
            self._take_in(self._behind())
            if not self._busy and not self._transport.is_closing():
                self._transport.resume_reading()

    def _behind(self) -> Iterator[Message]:
        """Give what came behind, until something is being handled again."""
        while self._later and not self._busy:
            yield self._later.popleft()

    def eof_received(self) -> bool:
        """Close: a half-open WebSocket is of no use. By a relay it says that the other node stops."""
        if not self._transport.can_write_eof():  # TLS: it closes now
            self._fail(RESTART, "")
            return False
        self._group.spawn(self._leave())
        return True

    async def _leave(self) -> None:
        """Close and end the session in one step: what the application says before that is still sent."""
        self._fail(RESTART, "")
        await self.end(self._group.reason.TRANSPORT_CLOSE)

    # end

    async def ended(self) -> None:
        """Return when the connection has ended; to be called once, before that."""
        self._ended = asyncio.get_running_loop().create_future()
        await self._ended

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell python-engineio; uvicorn forgets this connection."""
        self._connections.discard(self)
        self._pending = NOWHERE
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        self._group.spawn(self.end(self._group.reason.TRANSPORT_CLOSE))

    def shutdown(self) -> None:
        """Close with 1012 (service restart), as uvicorn closes the others.

        And read on until the client has answered: closing a connection in which something is unread
        resets it, and the reset overtakes what is on its way to the client.
        """
        self._part(RESTART, "")

    def _part(self, code: int, reason: str) -> None:
        if self._send_close(code, reason):
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._close)

    async def say_goodbye(self, reason: str) -> None:
        """Close so that the client has all that waits for it and comes back, and end the session."""
        self.shutdown()
        await self.end(reason)

    def give_up(self) -> None:
        """Close, if this is still an upgrade; the session goes on by polling."""
        if self.upgrade is not None:
            self._fail(1002, "upgrade failed")

    def _fail(self, code: int, reason: str) -> None:
        """Say goodbye and close the transport; ``connection_lost`` does the rest."""
        self._send_close(code, reason)
        self._close()

    def cut_off(self) -> str:
        """End this connection, without what waits; returns its sid."""
        self._pending, self._paused = NOWHERE, False
        self._group.spawn(self.end(SLOW_CONSUMER))
        self._transport.abort()
        return str(self.socket.sid)

    def _close(self) -> None:
        if not self._transport.is_closing():
            self._transport.close()
            if self._transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)

    async def end(self, reason: str) -> None:
        """End the Engine.IO session, unless this was only an upgrade that failed."""
        if self.upgrade is not None:
            self.socket.upgrading = False
        elif not self.socket.closed:
            await self._group.close_socket(self.socket, wait=False, abort=True, reason=reason)
        if self.socket.closed:
            self._group.forget(self.socket)

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """Stand in for the socket's own ``close``: the packet, the close frame, the transport."""
        await self._group.close_socket(self.socket, wait=False, abort=abort, reason=reason)
        self._fail(1000, "")
        if self._paused or reason == self._group.reason.PING_TIMEOUT:
            self._transport.abort()  # nobody reads what a close would wait for

    async def send(self, packet: eio.Packet) -> None:
        """Stand in for the socket's own ``send``."""
        if not self.socket.closed:
            self.write_packet(packet)


class LaneQueue:
    """Stands in for the queue of a socket: what is put goes to the lane at once, so it is always empty."""

    __slots__ = ("lane",)

    def __init__(self, lane: Lane) -> None:
        self.lane = lane

    @property
    def waiting(self) -> int:
        """The bytes that wait for the client, as the outbox of a polling client has it."""
        return self.lane.queued

    def put_nowait(self, packet: Packet | None) -> None:
        """Send a packet; None, python-engineio's mark of the end, is nothing."""
        if packet is not None:
            self.lane.write_packet(packet)

    async def put(self, packet: Packet | None) -> None:
        """Send a packet."""
        self.put_nowait(packet)

    async def join(self) -> None:
        """Return: nothing waits here."""
