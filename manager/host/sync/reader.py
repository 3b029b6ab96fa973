"""What clients of a threaded server send, read packet by packet; who breaks the protocol is disconnected."""

from __future__ import annotations

import logging
from typing import Any

from socketio import packet as sio

from socketio_cluster.manager.host.reader import Reader
from socketio_cluster.manager.host.strict_packet import BadPacket

logger = logging.getLogger("socketio_cluster.manager")


def hang_up(socket: Any, reason: str) -> None:
    """Close a session: a poll is answered with CLOSE, a WebSocket is closed by its writer."""
    socket.close(wait=False, abort=socket.upgraded, reason=reason)


class SyncReader(Reader):
    """``Reader`` for a threaded server."""

    def read(self, eio_sid: str, data: str | bytes) -> None:
        """Handle an Engine.IO message."""
        try:
            packet = self._packet(eio_sid, data)
        except BadPacket as error:
            logger.warning("client %s broke the protocol: %s", eio_sid, error)
            socket = self._server.eio.sockets.get(eio_sid)
            if socket is not None:
                hang_up(socket, self._server.reason.TRANSPORT_ERROR)
        else:
            if packet is not None:
                self._carry_out(eio_sid, packet)

    def _carry_out(self, eio_sid: str, packet: sio.Packet) -> None:
        host, namespace = self._host, packet.namespace
        if packet.packet_type == sio.CONNECT:
            host.handle_connect(eio_sid, namespace, packet.data)
        elif packet.packet_type == sio.DISCONNECT:
            host.handle_disconnect(eio_sid, namespace, host.server.reason.CLIENT_DISCONNECT)
        elif packet.packet_type in (sio.EVENT, sio.BINARY_EVENT):
            host.handle_event(eio_sid, namespace, packet.id, packet.data)
        else:
            host.handle_ack(eio_sid, namespace, packet.id, packet.data)
