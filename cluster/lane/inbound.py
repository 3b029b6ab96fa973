"""What comes in on a lane: Engine.IO packets, and in them Socket.IO's.

Events and acks, nearly all there is, are handled without a coroutine: an event starts the task in which
python-socketio runs its handler, as it would itself. Everything else (connect, disconnect, binary, errors)
is python-socketio's own code in a coroutine, and so is all of it when the server's methods are not the
ones this was written for.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from engineio import exceptions
from engineio import packet as eio
from socketio import AsyncServer
from socketio import packet as sio

if TYPE_CHECKING:
    from cluster.lane.connection import Lane
    from cluster.lane.hooks import LaneHooks
    from manager import ClusterManager

logger = logging.getLogger("cluster")

_OWN = ("_handle_eio_message", "_handle_event", "_handle_event_internal", "_handle_ack")


class Inbound:
    """Handles the packets of all lanes of one server."""

    def __init__(self, server: Any, manager: ClusterManager, hooks: LaneHooks) -> None:
        self._server = server
        self._eio = server.eio
        self._manager = manager
        self._hooks = hooks
        self._tasks: set[Any] = set()
        self._direct = server.async_handlers and all(
            getattr(type(server), name) is getattr(AsyncServer, name) and name not in vars(server)
            for name in _OWN
        )

    def packet(self, lane: Lane, data: str | bytes) -> Coroutine[Any, Any, None] | None:
        """Handle a packet; returns what is left to be awaited."""
        if lane.upgrade is not None:
            self._upgrading(lane, data)
            return None
        socket = lane.socket
        if isinstance(data, str):
            kind = data[:1]
            if kind == "4" and self._direct and socket.sid not in self._server._binary_packet:
                if self._event(socket.sid, data[1:]):
                    return None
            elif kind == "3":
                socket.schedule_ping()
                return None
        return self._general(lane, data)

    def _event(self, eio_sid: str, text: str) -> bool:
        """Handle an EVENT or ACK in the JSON format; False for anything else."""
        if text[:1] not in ("2", "3"):
            return False
        try:
            packet = self._server.packet_class(encoded_packet=text)
        except ValueError:
            return False  # the general way says what is wrong with it
        namespace = packet.namespace or "/"
        client = self._manager.members.on_connection(eio_sid, namespace)
        if client is None or not isinstance(packet.data, list) or not packet.data:
            return False
        if packet.packet_type == sio.ACK:
            self._manager.answered(client, packet.id, packet.data)
        elif self._manager.is_connected(client.sid, namespace):
            self._hooks.spawn(
                self._server._handle_event_internal(
                    self._server, client.sid, eio_sid, packet.data, namespace, packet.id
                )
            )
        return True

    async def _general(self, lane: Lane, data: str | bytes) -> None:
        """Do what python-engineio's websocket handler does with a packet."""
        socket = lane.socket
        try:
            await socket.receive(eio.Packet(encoded_packet=data))
        except exceptions.UnknownPacketError:
            logger.info("client %s sent an unknown packet", socket.sid)
        except exceptions.SocketIsClosedError:
            logger.info("client %s is closed", socket.sid)
        except ValueError:
            logger.warning("client %s sent a packet that cannot be read", socket.sid)
            await lane.close(abort=True, reason=self._eio.reason.TRANSPORT_ERROR)

    def _upgrading(self, lane: Lane, data: str | bytes) -> None:
        """Answer the probe, then take over from polling (engine.io-protocol, "Upgrade")."""
        if lane.upgrade == "probe" and data == "2probe":
            lane.upgrade = "upgrade"
            lane.write_packet(eio.Packet(eio.PONG, data="probe"))
            lane.socket.queue.put_nowait(eio.Packet(eio.NOOP))  # ends the poll that waits
        elif lane.upgrade == "upgrade" and data == "5":
            self._hooks.switch(lane)
        else:
            logger.info("client %s failed to upgrade", lane.socket.sid)
            lane.shutdown()
