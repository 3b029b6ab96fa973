"""Reads the packets and POSTs of a threaded server's clients, and disconnects those that break the protocol.

``host/reader.py`` and ``host/posts.py`` do the same for an asyncio server.
"""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

from socketio import packet as sio

from socketio_cluster.manager.host.posts import length_of, packets_of, parts_of, with_body
from socketio_cluster.manager.host.reader import Reader
from socketio_cluster.manager.host.strict_packet import BadPacket
from socketio_cluster.manager.host.sync.session import hang_up

logger = logging.getLogger("socketio_cluster.manager")


class SyncReader(Reader):
    """A ``Reader`` for a threaded server."""

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


def handle_post(socket: Any, environ: dict[str, Any]) -> None:
    """Handle a POST. A client that breaks the protocol is disconnected."""
    body = environ["wsgi.input"].read(length_of(socket, environ))
    try:
        for part in parts_of(packets_of(body)):
            if socket.closed:
                break
            type(socket).handle_post_request(socket, with_body(environ, part, BytesIO))
    except (ValueError, RecursionError) as error:  # The body is malformed, or its JSON is nested too deep.
        logger.warning("client %s broke the protocol: %s", socket.sid, error)
        hang_up(socket, socket.server.reason.TRANSPORT_ERROR)
