"""uvicorn's WebSocket protocol with a way out before the handshake is answered."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

RELAY: Final = "socketio.relay"
"""Under this name in ``scope["extensions"]`` the app finds the function that gives the connection away."""
CLOSE_SECONDS: Final = 10.0
"""As for a lane."""


class RelayProtocol(WebSocketsSansIOProtocol):
    """Lets the app take the connection while its handshake is open."""

    _parting = False

    def data_received(self, data: bytes) -> None:
        """Read; uvicorn keeps the answer to itself when the library has refused a request at sight."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_parser_exception(self) -> None:
        """Close; uvicorn asserts that a close frame was sent, but before the handshake is over none is."""
        if self.conn.close_sent is None:
            self.transport.abort()
        else:
            super().handle_parser_exception()

    def shutdown(self) -> None:
        """Close, once, and not while the library is closing by itself."""
        if not self._parting:
            self._parting = True
            super().shutdown()

    def handle_connect(self, event: Request) -> None:
        """Offer the way out in the scope."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][RELAY] = self.detach_transport  # type: ignore[assignment]

    async def send(self, message: Any) -> None:
        """Send; uvicorn would take an app that answers a handshake with an error for one that forgot it.

        At a path that nobody serves python-engineio answers 404 as if to HTTP: a WebSocket gets it too.
        """
        if message["type"].startswith("http.response.") and not self.handshake_complete:
            message = {**message, "type": f"websocket.{message['type']}"}
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Serve; a client that does not read holds up the end of its connection for so long, not for ever."""
        await super().run_asgi()
        if not (self.writable.is_set() or self.disconnected):
            self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def detach_transport(self) -> tuple[asyncio.Transport, set[Any]] | None:
        """Give the connection away, and uvicorn's set of open ones; None when it has ended or been used."""
        used = self.handshake_complete or self.read_paused or self.conn.reader.buffer
        if used or self.disconnected or self.transport.is_closing():
            return None
        transport, self.transport = self.transport, Released()  # type: ignore[assignment]
        self.connections.discard(self)
        self.handshake_complete = True  # else uvicorn answers it when the ASGI call returns
        return transport, self.connections


class Released:
    """What uvicorn closes when the ASGI call returns, or a middleware before: nothing."""

    def is_closing(self) -> bool:
        """Whether there is nothing left to close."""
        return True

    def close(self) -> None:
        """Leave the connection to who has it now."""


class OrdinaryProtocol(RelayProtocol):
    """Reads the request itself, and then waits for the call of the app that is already running."""

    def go_on(self, request: bytes, call: asyncio.Task[Any] | None, *, told: bool, accepted: bool) -> None:
        """Come to where the handshake stands; a request that is no good is refused here.

        Args:
            request: the request, as bytes.
            call: the app's call; None: make it.
            told: the app knows that a client wants to connect.
            accepted: the client has the answer that opens the connection.
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
            self.conn.data_to_send()  # away with it: it has been written
            self.start_keepalive()
