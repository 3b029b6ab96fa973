"""Puts the lanes into a python-socketio server.

Lanes stand before the WebSocket class of the ASGI driver, to take connections over, and before the function
that sends a Socket.IO packet to one connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import socketio
from engineio.async_drivers.asgi import WebSocket
from engineio.packet import NOOP

from socketio_cluster.cluster.http.lane_protocol import EXTENSION
from socketio_cluster.cluster.lane.compiled import lane_class
from socketio_cluster.cluster.lane.connection import Lane
from socketio_cluster.cluster.lane.flusher import Flusher
from socketio_cluster.cluster.lane.frames import TEXT, frame, longest_frame
from socketio_cluster.cluster.lane.inbound import Inbound
from socketio_cluster.cluster.lane.paced_lane import PacedLane
from socketio_cluster.cluster.lane.queue import LaneQueue
from socketio_cluster.cluster.lane.writer import OPEN
from socketio_cluster.cluster.limits.limits import pacer_of
from socketio_cluster.cluster.plain import PlainWebSockets
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import encode
from socketio_cluster.manager.host.session import close_socket

NAME: Final = "lane"
UPGRADE_SECONDS: Final = 10.0
"""Seconds that a client may take to upgrade. Until it has, nobody pings that connection."""


class ServerLanes:
    """The lanes of one server and the things they share. It is made once, inside the running loop.

    Args:
        manager: the manager of the server.
        flusher: the flusher of the loop.
        calls_stay: whether the ASGI calls of lanes last as long as their connections.
    """

    def __init__(self, manager: ClusterManager, flusher: Flusher, *, calls_stay: bool = True) -> None:
        self._manager = manager
        self.host = host = manager.host
        eio = host.engine
        self.flusher = flusher
        self.calls_stay = calls_stay
        self.reason = eio.reason
        self.stats = manager.stats
        self.spawn = manager.spawn
        self.handlers = manager.handlers
        self.message_too_large = manager.message_too_large
        self.max_message: int = eio.max_http_buffer_size
        self.longest_frame = longest_frame(self.max_message)
        self.mark: int = manager.options.client_bytes
        self.backpressure = manager.backpressure
        self.lanes: dict[str, Lane] = {}
        self.inbound = Inbound(manager, self)
        self.short = self.inbound.shortcut.take
        self.lane_class = lane_class(manager, self.inbound.handling, self.inbound.shortcut, flusher)
        host.driver("websocket").put(NAME, lambda _: partial(LaneWebSocket, self))
        host.packet.put(NAME, self._before_packet)
        manager.direct_writer = self.writer_of

    def writer_of(self, eio_sid: str) -> Callable[[Outgoing], None] | None:
        """Return the function that sends an event to this connection; None when it has no lane."""
        lane = self.lanes.get(eio_sid)
        return lane.write if lane is not None else None

    def _before_packet(self, send: Callable[..., Any]) -> Callable[..., Any]:
        async def send_packet(eio_sid: str, packet: Any) -> None:
            """Send a Socket.IO packet to a connection."""
            lane = self.lanes.get(eio_sid)
            if lane is None:
                await send(eio_sid, packet)
            else:
                lane.write(Outgoing(encode(packet)))

        return send_packet

    def open(self, socket: Any, extension: Callable[..., bool]) -> Lane | None:
        """Take over the WebSocket of a session, which is new or upgrades from polling.

        Returns the lane, or None when ``extension`` says that the connection cannot be taken over.
        """
        upgrading = socket.connected
        lane: Lane | None = None

        def make(transport: Any, connections: set[Any], first: bytes) -> Lane:
            nonlocal lane
            lane = self._make(transport, connections, socket)
            if first:
                lane.write_frame(first)
            if upgrading:
                socket.upgrading = True
                asyncio.get_running_loop().call_later(UPGRADE_SECONDS, lane.give_up)
            else:
                socket.connected = True
                self.switch(lane)
            return lane

        return lane if extension(make) else None

    def _make(self, transport: Any, connections: set[Any], socket: Any) -> Lane:
        pacer = pacer_of(self.host)
        if pacer is None:
            return self.lane_class(transport, connections, socket, self)
        return PacedLane(transport, connections, socket, self, pacer)

    def switch(self, lane: Lane) -> None:
        """Send everything for this session by its lane from now on, first what waited for a poll."""
        lane.enter(OPEN)
        for packet in lane.socket.queue.drain():
            if packet is not None and packet.packet_type != NOOP:
                lane.write_packet(packet)
        self._adopt(lane)
        for client in self._manager.members.of_connection(lane.socket.sid):
            client.change_writer(lane.write)

    def begin(self, socket: Any, opening: bytes, transport: Any, connections: set[Any], first: bytes) -> Lane:
        """Return the lane of a session that begins with it.

        Args:
            socket: the session's, without a queue.
            opening: the OPEN packet.
            transport: the connection, as the next two what ``take_over`` gives.
            connections: uvicorn's set of open connections.
            first: the answer that opens the WebSocket; it leaves in one write with the packet.
        """
        lane = self._make(transport, connections, socket)
        lane.enter(OPEN)
        lane.write_answer(first + frame(TEXT, opening))
        self._adopt(lane)
        return lane

    def _adopt(self, lane: Lane) -> None:
        socket = lane.socket
        socket.context = lane.context
        socket.queue = LaneQueue(lane)
        socket.send = lane.send
        socket.close = lane.close
        socket.upgraded, socket.upgrading = True, False
        self.lanes[socket.sid] = lane

    async def close_socket(self, socket: Any, **how: Any) -> None:
        """Close a session by the method of its class: the instance's own ``close`` is the lane's."""
        await close_socket(socket, **how)

    def forget(self, socket: Any) -> None:
        """Drop a closed session, and the references by which it and its lane keep each other alive."""
        self.lanes.pop(socket.sid, None)
        self.host.engine.sockets.pop(socket.sid, None)
        for name in ("send", "close"):
            socket.__dict__.pop(name, None)


class LaneWebSocket:
    """Stands in for the ASGI driver's WebSocket.

    It takes the connection over, or calls the driver's own class.
    """

    def __init__(self, group: ServerLanes, handler: Any, server: Any) -> None:
        self._group = group
        self._handler = handler
        self._server = server

    async def __call__(self, environ: dict[str, Any]) -> Any:
        """Serve the connection; return an empty text, as the driver's class does."""
        take_over = environ["asgi.scope"].get("extensions", {}).get(EXTENSION)
        socket = getattr(self._handler, "__self__", None)
        # The admin UI wraps the handler to count packets: then there is no lane, and the driver's class
        # serves.
        if take_over is None or socket is None:
            return await WebSocket(self._handler, self._server)(environ)
        await environ["asgi.send"]({"type": "websocket.accept"})
        lane = self._group.open(socket, take_over)
        if lane is not None:
            forget_asgi(environ)
            if self._group.calls_stay:
                await lane.ended()
        else:
            ordinary = WebSocket(self._handler, self._server)
            ordinary.asgi_receive, ordinary.asgi_send = environ["asgi.receive"], environ["asgi.send"]
            await self._handler(ordinary)
        return ""


def forget_asgi(environ: dict[str, Any]) -> None:
    """Drop the references to uvicorn's protocol object: the environ lives as long as its client.

    The object takes 8 KB, a large part of the memory of an idle connection.
    """
    environ["asgi.receive"] = environ["asgi.send"] = taken_over
    environ["asgi.scope"]["extensions"].clear()  # they hold bound methods of the protocol object
    environ["wsgi.input"] = None


async def taken_over(*_: Any) -> None:
    """Stand in for ASGI's ``receive`` and ``send`` of a connection that a lane has."""
    raise RuntimeError("this connection has left ASGI: it is driven by its lane")


class Lanes:
    """The layer that gives servers lanes; made inside the running loop.

    Args:
        app: the application that is served. When it is not Socket.IO's own, ASGI middlewares may stand before
            that. Then the ASGI call of a lane lasts as long as its connection, so that the work they do after
            the call is done at the right time. That costs an idle connection some kilobytes.
    """

    name = NAME

    def __init__(self, app: Any = None) -> None:
        self._calls_stay = not _is_bare(app)
        self._flusher = Flusher(asyncio.get_running_loop())

    def install(self, manager: ClusterManager) -> ServerLanes:
        """Give the server of a manager lanes."""
        return ServerLanes(manager, self._flusher, calls_stay=self._calls_stay)


def _is_bare(app: Any) -> bool:
    """Return whether no middleware stands before the Socket.IO server.

    One could wait for a connection's end.
    """
    while isinstance(app, PlainWebSockets):
        app = app.other
    return isinstance(app, socketio.ASGIApp)
