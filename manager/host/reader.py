"""Reads the packets of clients. A client that breaks the protocol is disconnected.

This replaces python-socketio's ``_handle_eio_message``, which logs an error and goes on. The client would
then wait for an answer that never comes, and the attachments of a refused packet would be read as packets.
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
    """Reads the messages of one server's connections. The server's packet class must be a strict one."""

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
        """Return the packet that this message completes, or None if attachments are missing."""
        waiting = self._host.half_read
        if eio_sid in waiting:
            packet = waiting[eio_sid]
            return waiting.pop(eio_sid) if packet.add_attachment(data) else None
        if not data or not isinstance(data, str | bytes):
            # python-engineio passes on a message that is JSON as the decoded value.
            raise BadPacket("no packet")
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
            client = self._manager.members.on_connection(eio_sid, namespace or "/")
            if client is not None and client.session is not None:
                client.session.over = True  # It has said that it leaves; others may come back.
            await host.handle_disconnect(eio_sid, namespace, host.server.reason.CLIENT_DISCONNECT)
        elif packet.packet_type in (sio.EVENT, sio.BINARY_EVENT):
            await self._manager.handlers.room(eio_sid)
            await host.handle_event(eio_sid, namespace, packet.id, packet.data)
        else:
            await host.handle_ack(eio_sid, namespace, packet.id, packet.data)
