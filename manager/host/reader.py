"""What clients send, read packet by packet; who breaks the protocol is disconnected.

In the place of python-socketio's own ``_handle_eio_message``, which logs an error and goes on: the client
then waits for what will never come, and the attachments of a packet that was refused are read as packets.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from socketio import packet as sio

from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import hang_up
from socketio_cluster.manager.host.strict_packet import BadPacket

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")

_BINARY = (sio.BINARY_EVENT, sio.BINARY_ACK)


class Reader:
    """Reads the messages of one server's connections; its packet class must be a checked one."""

    def __init__(self, host: Host, manager: ClusterManager) -> None:
        self._host = host
        self._server = host.server
        self._manager = manager

    async def message(self, eio_sid: str, data: str | bytes) -> None:
        """Handle an Engine.IO message."""
        try:
            packet = self._packet(eio_sid, data)
        except BadPacket as error:
            logger.warning("client %s broke the protocol: %s", eio_sid, error)
            socket = self._server.eio.sockets.get(eio_sid)
            if socket is not None:
                await hang_up(socket, self._server.reason.TRANSPORT_ERROR)
        else:
            if packet is not None:
                await self._handle(eio_sid, packet)

    def _packet(self, eio_sid: str, data: str | bytes) -> sio.Packet | None:
        """Give the packet that is complete with this message."""
        waiting = self._host.half_read
        if eio_sid in waiting:
            packet = waiting[eio_sid]
            return waiting.pop(eio_sid) if packet.add_attachment(data) else None
        if not data or not isinstance(data, str | bytes):
            raise BadPacket("no packet")  # python-engineio gives a message that is JSON as what it means
        packet = self._server.packet_class(encoded_packet=data)
        if packet.packet_type not in _BINARY:
            return packet
        if self._manager.members.on_connection(eio_sid, packet.namespace or "/") is None:
            raise BadPacket("attachments for a namespace that was not joined")
        waiting[eio_sid] = packet
        return None

    async def _handle(self, eio_sid: str, packet: sio.Packet) -> None:
        host, namespace = self._host, packet.namespace
        if packet.packet_type == sio.CONNECT:
            await host.handle_connect(eio_sid, namespace, packet.data)
        elif packet.packet_type == sio.DISCONNECT:
            await host.handle_disconnect(eio_sid, namespace, host.server.reason.CLIENT_DISCONNECT)
        elif packet.packet_type in (sio.EVENT, sio.BINARY_EVENT):
            await self._manager.handlers.room(eio_sid)
            await host.handle_event(eio_sid, namespace, packet.id, packet.data)
        else:
            await host.handle_ack(eio_sid, namespace, packet.id, packet.data)
