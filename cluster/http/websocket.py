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
"""Seconds that a client that does not read may hold up the end of its connection, as with a lane."""
AT_ONCE: Final = 64
"""Frames that are read in one turn of the loop, as with a lane; the rest waits for a later turn."""
PIECE: Final = 512
"""Bytes that are read at a time. They hold 85 frames at most, which take one to two milliseconds."""


class RelayProtocol(WebSocketsSansIOProtocol):
    """Lets the application take the transport while the handshake is open, and mends faults of uvicorn."""

    _shut_down = False
    _half_closed = False
    """Whether the client sends no more."""
    _frames = 0
    _later = b""
    """Bytes that were received and wait for a later turn of the loop."""

    def data_received(self, data: bytes) -> None:
        """Read in turns: the library would read all bytes in one turn, and answer each ping in them."""
        if self._later:  # with TLS more bytes may come after reading was paused
            self._later += data
        else:
            self._read(data)

    def _read(self, data: bytes) -> None:
        self._frames = 0
        for at in range(0, len(data), PIECE):
            if self._frames >= AT_ONCE:
                self._later = data[at:]
                self.transport.pause_reading()
                self.loop.call_soon(self._read_on)
                return
            self._read_piece(data[at : at + PIECE])
            if self.transport.is_closing():
                return

    def _read_on(self) -> None:
        data, self._later = self._later, b""
        if self.transport.is_closing():
            return
        self._read(data)
        if not (self._later or self.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def _read_piece(self, data: bytes) -> None:
        """Read a piece. When the library refuses a request at once, uvicorn does not send its answer."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_events(self) -> None:
        """Count the frames that were read, then handle them."""
        self._frames += len(self.conn.events)
        super().handle_events()

    async def receive(self) -> Any:
        """Return a message. uvicorn resumes reading after the last one, though bytes may still wait here."""
        message = await super().receive()
        if self._later:
            self.transport.pause_reading()
        return message

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

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn leaves it to asyncio, which reads it
        """Let the application end the connection: what it has to say still reaches the client.

        A relay half-closes when its node stops; see ``LineHalf``. With TLS the transport closes now.
        """
        if not (self.handshake_complete and self.transport.can_write_eof()):
            return False
        self._half_closed = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
        return True

    async def run_asgi(self) -> None:
        """Serve. A client that does not read holds up the end of its connection, but not for ever."""
        await super().run_asgi()
        if self._half_closed:
            self.transport.close()  # no close frame can come in answer to ours
        if not (self.writable.is_set() or self.disconnected):
            self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def detach_transport(self) -> tuple[asyncio.Transport, set[Any]] | None:
        """Return the transport, which is the caller's from now on, and uvicorn's set of open connections.

        Returns None when the connection has ended, or when more than the request was read or written.
        """
        used = self.handshake_complete or self.read_paused or self.conn.reader.buffer or self._later
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
