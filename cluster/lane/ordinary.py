"""uvicorn's WebSocket protocol for a connection whose handshake has begun without it."""

from __future__ import annotations

import asyncio
from typing import Any

from socketio_cluster.cluster.forward.relay_protocol import RelayProtocol


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
