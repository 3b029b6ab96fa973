"""The first protocol of each connection: its first bytes say which one serves it.

Nearly every connection to a node begins with a WebSocket handshake, whole and in one piece. uvicorn's HTTP
protocol, with its parser and flow control, took a quarter of the cost of such a connection. So it is made for
all others only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn import Config
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from socketio_cluster.cluster.http.handshake import HandshakeRequest, Header, read_whole
from socketio_cluster.cluster.http.lane_protocol import LaneProtocol
from socketio_cluster.cluster.http.newcomers import Newcomers
from socketio_cluster.cluster.http.polling_protocol import PollingProtocol
from socketio_cluster.cluster.http.scope import local_address, remote_address, websocket_scope


class FrontProtocol(asyncio.Protocol):
    """A connection from which nothing was read yet.

    ``newcomers`` is shared by all connections of the worker; uvicorn gives the other arguments.
    """

    __slots__ = ("_app_state", "_config", "_newcomers", "state", "transport")

    def __init__(
        self,
        newcomers: Newcomers,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: Any = None,
    ) -> None:
        self.state = server_state
        self.transport: asyncio.Transport
        self._newcomers = newcomers
        self._config = config
        self._app_state = app_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes, with a limit."""
        self.transport = cast(asyncio.Transport, transport)
        self.state.connections.add(self)  # type: ignore[arg-type]
        self._newcomers.come(self)

    def data_received(self, data: bytes) -> None:
        """Give the connection to the protocol that serves it."""
        due = self._leave()
        request = read_whole(data)
        if request is None:
            self._serve_http(data, due)
            return
        app = self._config.loaded_app
        enter = getattr(app, "enter", None)
        answering = app if enter is None else enter(self, request)
        if answering is not None:
            self._serve_websocket(data, request, answering)

    @property
    def headers(self) -> list[Header]:
        """The headers that uvicorn adds to each answer."""
        return self.state.default_headers

    def scope_of(self, request: HandshakeRequest) -> Callable[[], dict[str, Any]]:
        """Return a function that makes the ASGI scope, even when the connection has ended."""
        transport = self.transport
        scheme = "wss" if is_ssl(transport) else "ws"
        ends = local_address(transport), remote_address(transport)
        return partial(websocket_scope, request, scheme, *ends, self._config, self._app_state)

    def _serve_websocket(self, data: bytes, request: HandshakeRequest, app: Any) -> None:
        protocol = LaneProtocol(self._config, self.state, self._app_state)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.begin(data, request, app)

    def _serve_http(self, data: bytes, due: float) -> None:
        protocol = PollingProtocol(self._newcomers.stats, self._config, self.state, self._app_state)
        protocol.head_until = due
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._leave()

    def shutdown(self) -> None:
        """Close, as uvicorn closes a connection without a request."""
        self.transport.close()

    def _leave(self) -> float:
        self.state.connections.discard(self)
        return self._newcomers.go(self)
