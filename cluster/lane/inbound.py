"""Handles the packets that come in on a lane: those of Engine.IO, and those of Socket.IO in them.

Nearly all of them are events and acks. An ack is handled at once, and so is an event whose handler does not
wait; a handler that waits goes on in a task, as in python-socketio. For everything else (connect, disconnect,
binary packets, errors) python-socketio's own code runs in a coroutine. It also runs for all packets when a
method of the server was replaced that this file stands in for.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from engineio import exceptions
from engineio import packet as eio

from socketio_cluster.cluster.lane.events import Ack, Event, read, value_at
from socketio_cluster.cluster.lane.handling import Handling
from socketio_cluster.cluster.lane.joining import Joining
from socketio_cluster.cluster.lane.shortcut import Shortcut
from socketio_cluster.cluster.lane.writer import CONNECTING, OPEN, PROBED
from socketio_cluster.cluster.server import AsyncServer
from socketio_cluster.cluster.strict.probe import probe_answered
from socketio_cluster.manager.clients.client import CONNECTED
from socketio_cluster.manager.clients.packets import is_standard
from socketio_cluster.manager.host.posts import counts

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.connection import Lane
    from socketio_cluster.cluster.lane.install import ServerLanes
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.cluster")


class Inbound:
    """Handles the packets of all lanes of one server."""

    def __init__(self, manager: ClusterManager, group: ServerLanes) -> None:
        self._host = host = manager.host
        server = host.server
        self._manager = manager
        self._group = group
        self.handling = Handling(manager)
        self._half_read = host.half_read
        self._on_connection = manager.members.on_connection
        self._handlers = manager.handlers
        own = host.handles_events_as(AsyncServer)
        self._joining = Joining(manager)
        self._direct = own and server.async_handlers and is_standard(server.packet_class)
        self.shortcut = Shortcut(manager, self.handling, self._direct, self._connect_alone)

    def packet(self, lane: Lane, data: str | bytes) -> Coroutine[Any, Any, None] | None:
        """Handle a packet. Return None when that is done, or the coroutine that handles it."""
        if lane.state < OPEN:
            self._upgrading(lane, data)
            return None
        socket = lane.socket
        if type(data) is str:
            kind = data[:1]
            if kind == "4" and self._direct and socket.sid not in self._half_read:
                event = read(data)
                if event is not None and self._event(lane, event):
                    return None
                if event is None and (data == "40" or data.startswith("40{")):
                    return self._connect(lane, data)
            elif kind == "3":
                socket.schedule_ping()
                return None
        return self._general(lane, data)

    def _event(self, lane: Lane, event: Event | Ack) -> bool:
        """Handle an event or an ack.

        Return False when its client is not connected, or has too many handlers.
        """
        client = self._on_connection(lane.socket.sid, event.namespace)
        if client is None or client.state is not CONNECTED:
            return False
        if isinstance(event, Ack):
            self._manager.fanout.answered(client, event.ack_id, event.data)
        elif self._handlers.full(lane.socket.sid):
            return False
        else:
            self.handling.begin(lane, client.sid, event)
        return True

    def _connect(self, lane: Lane, data: str) -> Coroutine[Any, Any, None] | None:
        """Connect a client to the main namespace. Return None when that is done, or the coroutine for it."""
        auth = value_at(data, 2) if len(data) > 2 else None
        if auth is None and len(data) > 2:
            return self._general(lane, data)
        return None if self._joining.join(lane) else self._ask_to_connect(lane, auth)

    def _connect_alone(self, lane: Lane, text: bytes) -> bool:
        """Connect a client to the main namespace. The connect handler takes its first step now.

        Return False, before anything has happened, if the packet must go the general way.
        """
        auth = _auth(text)
        if auth is None and len(text) > 2:
            return False
        if not self._joining.join(lane):
            task = self.handling.start(self._ask_to_connect(lane, auth), lane.context)
            if task is not None:
                lane.wait_for(task)
        return True

    async def _ask_to_connect(self, lane: Lane, auth: Any) -> None:
        """Connect a client as python-socketio does, which asks the connect handler."""
        try:
            await self._host.handle_connect(lane.socket.sid, "/", auth)
        except Exception:
            logger.exception("client %s could not be connected", lane.socket.sid)

    async def _general(self, lane: Lane, data: str | bytes) -> None:
        """Handle a packet as python-engineio's WebSocket handler does."""
        socket = lane.socket
        try:
            if isinstance(data, bytes) or counts(data):
                await socket.receive(eio.Packet(encoded_packet=data))
        except exceptions.SocketIsClosedError:
            logger.info("client %s is closed", socket.sid)
        except Exception as error:  # a made-up packet can cause IndexError, RecursionError and others
            logger.warning("client %s sent a packet that cannot be read: %r", socket.sid, error)
            await lane.close(abort=True, reason=self._group.reason.TRANSPORT_ERROR)

    def _upgrading(self, lane: Lane, data: str | bytes) -> None:
        """Answer the probe, then take the session over from polling (engine.io-protocol, "Upgrade")."""
        if lane.state is CONNECTING and data == "2probe":
            lane.enter(PROBED)
            lane.write_packet(eio.Packet(eio.PONG, data="probe"))
            lane.socket.queue.put_nowait(eio.Packet(eio.NOOP))  # it ends the poll that waits
            probe_answered(lane.socket)
        elif lane.state is PROBED and data == "5" and not (lane.socket.upgraded or lane.socket.closing):
            self._group.switch(lane)
        else:
            logger.info("client %s failed to upgrade", lane.socket.sid)
            lane.give_up()


def _auth(text: bytes) -> Any:
    """Return the object in a CONNECT packet for the main namespace, or None."""
    try:
        return value_at(text.decode(), 2) if text[2:3] == b"{" else None
    except UnicodeDecodeError:
        return None
