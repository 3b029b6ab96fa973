"""A plain client's connection, in the place of python-engineio's socket.

So the server and the manager treat it as any other client, with a sid, rooms, a session and disconnects. They
send it Socket.IO packets and events, and both leave in the codec's format.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from engineio.async_socket import AsyncSocket
from socketio import packet as sio

from socketio_cluster.cluster.plain.message import Message, emitted
from socketio_cluster.cluster.plain.outbound import Data, Outbound
from socketio_cluster.cluster.plain.returning import welcome
from socketio_cluster.cluster.plain.writer import Send, Writer
from socketio_cluster.manager.clients.backpressure import SLOW_CONSUMER
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.ids import new_sid
from socketio_cluster.manager.recovery.arrivals import Arrival
from socketio_cluster.manager.recovery.client_session import TRANSPORT_CLOSE
from socketio_cluster.manager.recovery.marking import Marked

if TYPE_CHECKING:
    from socketio_cluster.cluster.plain.endpoint import PlainWebSockets

logger = logging.getLogger("socketio_cluster.cluster")

GOODBYE: Final = 1000
AGAIN: Final = 1012
REFUSED: Final = 4001
TOO_SLOW: Final = 4008
CODES: Final = {TRANSPORT_CLOSE: AGAIN, SLOW_CONSUMER: TOO_SLOW}
"""Close codes of reasons for which the client has to connect again."""

NAME: Final = "plain"


class PlainSocket(AsyncSocket):  # type: ignore[misc]
    """One connection; ``sid`` is its own id, which the client never gets.

    ``connected`` stays False, because no HTTP request belongs to this session. ``last_ping`` stays None,
    because the WebSocket server sends the pings.
    """

    closing: bool
    closed: bool

    def __init__(self, endpoint: PlainWebSockets, send: Send) -> None:
        super().__init__(endpoint.server.eio, new_sid(endpoint.manager.node_id))
        self.upgraded = True
        self.last_ping = None
        self.ended = asyncio.Event()
        self.recovery = False
        """Whether the client wants to know how far it has come, and to come back."""
        self.arrival = Arrival(False)
        """What it says of itself when it joins the namespace."""
        self._told: str | None = None
        self._endpoint = endpoint
        self._host = endpoint.manager.host
        self._codec = endpoint.codec
        queue = Outbound(endpoint.high_water, endpoint.low_water, endpoint.skip)
        self.writer = Writer(send, queue, endpoint.manager.stats, self._encode, self._behind)

    # calls of python-engineio and the manager

    async def send(self, pkt: Any) -> None:
        """Do nothing: a plain client does not know Engine.IO packets."""

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End the session: run the disconnect handlers, then send a close frame."""
        if self.closed or self.closing:
            return
        self.closing = True
        reason = reason or self.server.reason.SERVER_DISCONNECT
        try:
            await self._host.end_of_session(self.sid, reason)
        finally:
            self.closed = True
            self.ended.set()
            close_frame = self._host.close_frame(self)
            code = CODES.get(reason, GOODBYE) if close_frame is None else close_frame.code
            self.writer.end(code, reason)

    def write_event(self, outgoing: Outgoing) -> None:
        """Send an event. It is encoded once for all clients with this codec."""
        data = outgoing.form(id(self._codec), self._event)
        if data is not None:
            self.writer.write_event(data)

    def packet(self, packet: sio.Packet) -> None:
        """Send a packet that the server has for this client alone."""
        kind, data = packet.packet_type, packet.data
        if kind in (sio.ACK, sio.BINARY_ACK):
            self.writer.write(Message(args=tuple(data), ack=packet.id))
        elif kind == sio.CONNECT:
            message = welcome(self._endpoint.manager, self, self._endpoint.namespace, data)
            self._told = message.id
            self.writer.write(message)
        elif kind == sio.CONNECT_ERROR:
            self.writer.write(Message(event="connect_error", args=(data,)))
            self.writer.end(REFUSED, str(data.get("message", "")) if isinstance(data, dict) else str(data))
        elif kind == sio.DISCONNECT:
            self.writer.end(GOODBYE, self.server.reason.SERVER_DISCONNECT)

    def tell(self, offset: str) -> None:
        """Tell the client how far it has come, unless something waits for it, which says so too."""
        if not self.closing and self.writer.idle and offset != self._told:
            self._told = offset
            try:
                self.writer.write(Message(id=offset))
            except Exception:  # as for events
                logger.exception("an id cannot be encoded for plain clients")

    # how messages are encoded, and how the connection ends

    def _event(self, outgoing: Outgoing) -> Data | None:
        """Return an event in the codec's format; None, with a log record, when it cannot be encoded."""
        room = outgoing.rooms[0] if outgoing.rooms is not None and len(outgoing.rooms) == 1 else None
        if room is not None and self._endpoint.manager.is_sid_room(self._endpoint.namespace, room):
            room = None
        encoded, offset = outgoing.encoded, None
        if isinstance(outgoing, Marked):
            encoded, offset = outgoing.plain, outgoing.offset
        try:
            return self._encode(emitted(self._endpoint.manager.packet_class, encoded, room, offset))
        except Exception:  # an error in one format must not keep the event from clients with others
            logger.exception("an event cannot be encoded for plain clients")
            return None

    def _encode(self, message: Message) -> Data | None:
        return self._codec.encode(message)

    def _behind(self) -> None:
        if not self.closing:
            self._endpoint.manager.backpressure.behind(self)

    @property
    def mark(self) -> int:
        """The number of bytes above which this client is behind."""
        return self._endpoint.high_water

    @property
    def queued(self) -> int:
        """The bytes that wait for this client; 0 when its connection ends."""
        return 0 if self.closing else self.writer.queued

    @property
    def free(self) -> bool:
        """Whether nothing waits for this client."""
        return not (self.closing or self.writer.queued)

    def cut_off(self) -> str:
        """End this connection and throw away what waits; return its sid."""
        self.writer.end(TOO_SLOW, SLOW_CONSUMER, at_once=True)
        self._endpoint.manager.spawn(self.close(reason=SLOW_CONSUMER))
        return str(self.sid)


def send_to_plain_clients(host: Host) -> None:
    """Let a server send its packets to plain clients too. Several endpoints of one server do this once."""
    if NAME in host.packet.layers:
        return

    def before(send: Callable[[str, Any], Awaitable[None]]) -> Callable[[str, Any], Awaitable[None]]:
        async def send_packet(eio_sid: str, packet: Any) -> None:
            socket = host.engine.sockets.get(eio_sid)
            if isinstance(socket, PlainSocket):
                socket.packet(packet)
            else:
                await send(eio_sid, packet)

        return send_packet

    host.packet.put(NAME, before)
