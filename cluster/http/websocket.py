"""uvicorn's WebSocket protocol, from which the application can take the connection during the handshake."""

from __future__ import annotations

import asyncio
import copy
from typing import Any, Final

from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request

RELAY: Final = "socketio.relay"
"""The key in ``scope["extensions"]`` of the function that detaches the transport."""
CLOSE_SECONDS: Final = 10.0
"""A client that does not read may hold up the end of its connection for so long, as with a lane."""


class RelayProtocol(WebSocketsSansIOProtocol):
    """Lets the application take the transport while the handshake is open, and mends faults of uvicorn."""

    _shut_down = False

    def data_received(self, data: bytes) -> None:
        """Read.

        When the library refuses a request at once, uvicorn does not send its answer: send it here.
        """
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_parser_exception(self) -> None:
        """Close.

        uvicorn asserts that a close frame was sent, but there is none before the handshake is over.
        """
        if self.conn.close_sent is None:
            self.transport.abort()
        else:
            super().handle_parser_exception()

    def shutdown(self) -> None:
        """Close once, and not while the library closes by itself."""
        if not self._shut_down:
            self._shut_down = True
            super().shutdown()

    def handle_connect(self, event: Request) -> None:
        """Offer ``detach_transport`` in the scope."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][RELAY] = self.detach_transport  # type: ignore[assignment]

    async def send(self, message: Any) -> None:
        """Send. For uvicorn, an application that answers a handshake with an HTTP error has not answered it.

        At a path that nobody serves python-engineio answers 404 as if to HTTP; a WebSocket gets that answer
        too.
        """
        if message["type"].startswith("http.response.") and not self.handshake_complete:
            message = {**message, "type": f"websocket.{message['type']}"}
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Serve. A client that does not read holds up the end of its connection, but not for ever."""
        await super().run_asgi()
        if not (self.writable.is_set() or self.disconnected):
            self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def detach_transport(self) -> tuple[asyncio.Transport, set[Any]] | None:
        """Return the transport, which is the caller's from now on, and uvicorn's set of open connections.

        Returns None when the connection has ended, or when more than the request was read or written.
        """
        used = self.handshake_complete or self.read_paused or self.conn.reader.buffer
        if used or self.disconnected or self.transport.is_closing():
            return None
        transport, self.transport = self.transport, DetachedTransport()  # type: ignore[assignment]
        self.connections.discard(self)
        self.handshake_complete = True  # else uvicorn answers the handshake when the ASGI call returns
        return transport, self.connections


class DetachedTransport:
    """Stands in for a transport that was detached: uvicorn closes it when the ASGI call returns."""

    def is_closing(self) -> bool:
        """Return True, so that nothing is written."""
        return True

    def close(self) -> None:
        """Do nothing: the connection has another owner."""


class ResumedProtocol(RelayProtocol):
    """Serves a connection whose handshake ``LaneProtocol`` has begun, with the ASGI call that runs."""

    def resume(self, request: bytes, call: asyncio.Task[Any] | None, *, told: bool, accepted: bool) -> None:
        """Go on where the handshake stands. A request that is not valid is refused here.

        Args:
            request: the bytes of the request.
            call: the running call of the application; with None it is made here.
            told: whether the application has received ``websocket.connect``.
            accepted: whether the client has got the answer that opens the connection.
        """
        if call is not None:

            async def app(*_: Any) -> Any:
                return await call

            self.app = app
        if request:
            self.data_received(request)
        if told:
            self.queue.get_nowait()
        if accepted:
            self.handshake_complete = True
            self.conn.send_response(self.response)
            self.conn.data_to_send()  # this answer was written before, so it is thrown away
            self.start_keepalive()


def serve_websocket(
    transport: asyncio.Transport,
    data: bytes,
    *,
    config: Config,
    state: ServerState,
    app: Any,
    client: Any,
    scheme: Any,
) -> None:
    """Let uvicorn serve a WebSocket on a connection that it has not accepted itself.

    Args:
        transport: the connection; it belongs to uvicorn's protocol from now on.
        data: the bytes that were read from it, beginning with the request.
        config: the settings of the server. They are copied.
        state: the open connections and running calls of the server.
        app: the ASGI application that answers.
        client: the address of the client, for the scope.
        scheme: the scheme by which the client came, ``ws`` or ``wss``.
    """
    config = copy.copy(config)
    config.loaded_app = app
    protocol: Any = config.ws_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg, misc]
    protocol.connection_made(transport)
    protocol.client, protocol.scheme = client, scheme
    transport.set_protocol(protocol)
    protocol.data_received(data)
