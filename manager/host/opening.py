"""Opens the session of a WebSocket as python-engineio does for a request without a sid, but in one call.

``handle_request`` and ``_handle_connect`` of its server took a third of the cost of a connection: they make
the environ, parse the query again, and pass the OPEN packet through a queue.
"""

from __future__ import annotations

import logging
import time
from contextvars import Context
from typing import Any, Final

import engineio
from engineio.async_socket import AsyncSocket
from engineio.packet import Packet
from socketio import AsyncServer

from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.tasks import run_now

_WEBSOCKET_HANDLER: Final = AsyncSocket._websocket_handler
"""The admin UI replaces this function of the class, to count packets."""


class Opening:
    """Opens sessions of one server.

    Args:
        host: the server.
        layers: the names of the layers that this stands in for. Of those before ``connect``, each is called.
    """

    def __init__(self, host: Host, layers: frozenset[str]) -> None:
        self._host = host
        self._server = host.server
        self._engine = host.engine
        slots = (host.request, host.engine_request, host.connect, host.driver("websocket"))
        self._stock = layers.issuperset(name for slot in slots for name in slot.layers) and _is_stock(host)

    @property
    def possible(self) -> bool:
        """Whether the server has no code of others, such as the admin UI, in what this leaves out."""
        host, engine = self._host, self._engine
        return (
            self._stock
            and engine.handlers.get("connect") is host.connect.entry
            and engine.handle_request is host.engine_request.entry
            and self._server.handle_request is host.request.entry
            and AsyncSocket._websocket_handler is _WEBSOCKET_HANDLER
            and Packet.json is engineio.json
            and not engine.logger.isEnabledFor(logging.INFO)
        )

    def new_socket(self) -> WebSocketSession:
        """Return the socket of a new session; its caller gives it a queue."""
        return WebSocketSession(self._engine, self._engine.generate_id())

    def packet(self, sid: str) -> bytes:
        """Return the OPEN packet of a session."""
        engine = self._engine
        interval = engine.ping_interval + engine.ping_interval_grace_period
        return (
            f'0{{"sid":"{sid}","upgrades":[],"pingTimeout":{round(engine.ping_timeout * 1000)},'
            f'"pingInterval":{round(interval * 1000)},"maxPayload":{engine.max_http_buffer_size}}}'
        ).encode()

    def begin(self, socket: WebSocketSession, environ: dict[str, Any]) -> None:
        """Make the session known to the server, and start its pings."""
        self._engine.sockets[socket.sid] = socket
        context = socket.context
        run_now(self._host.connect.outermost(socket.sid, environ))
        socket.context = context  # that of the WebSocket, as after an upgrade
        socket.schedule_ping()


class WebSocketSession(AsyncSocket):  # type: ignore[misc]
    """The socket of a session that has its WebSocket from the beginning: it is made without a queue."""

    def __init__(self, server: Any, sid: str) -> None:
        self.server = server
        self.sid = sid
        self.queue: Any = None
        self.context: Context
        self.last_ping: float | None = time.time()
        self.connected = True
        self.upgrading = False
        self.upgraded = True
        self.closing = False
        self.closed = False
        self.session: dict[str, Any] = {}


def _is_stock(host: Host) -> bool:
    kind = type(host.server)
    return (
        type(host.engine) is engineio.AsyncServer
        and kind.handle_request is AsyncServer.handle_request
        and kind._handle_eio_connect is AsyncServer._handle_eio_connect
    )
