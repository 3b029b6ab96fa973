"""The WebSocket protocol that uvicorn uses under ``serve``: it does the handshake, and then steps aside.

The handshake goes through ASGI as with uvicorn's own protocol, so middlewares, mounts, refusals and other
WebSocket routes of the application work as usual. When python-engineio has accepted a connection, a lane may
take it over: from then on the transport belongs to the lane, and the ASGI call ends. In all other cases
uvicorn's own protocol is made for the connection, gets to know what happened before, and serves it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from uvicorn import Config
from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string, is_ssl
from uvicorn.server import ServerState

from socketio_cluster.cluster.http.handshake import HandshakeRequest, Header, answer, read
from socketio_cluster.cluster.http.scope import local_address, remote_address, websocket_scope
from socketio_cluster.cluster.http.websocket import RELAY, ResumedProtocol

EXTENSION: Final = "socketio.lane"
"""The key in ``scope["extensions"]`` of the function by which a lane takes the connection over."""

logger = logging.getLogger("uvicorn.error")


class LaneProtocol(asyncio.Protocol):
    """A connection whose handshake is open. uvicorn makes it, and gives the arguments.

    Args:
        config: the settings of the server.
        server_state: the open connections, running calls and default headers of the server.
        app_state: the state that the application's lifespan has set.
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        self._config = config
        self._state = server_state
        self._app_state = app_state
        self._transport: asyncio.Transport
        self._data = b""
        self._request: HandshakeRequest | None = None
        self._scope: dict[str, Any] | None = None
        self._call: asyncio.Task[Any] | None = None
        self._connect_told = False
        self._accepted = False
        self._answer = b""
        self._resumed: ResumedProtocol | None = None
        self._taken = False

    # calls of the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the request, which uvicorn's HTTP protocol passes on at once."""
        self._transport = cast(asyncio.Transport, transport)
        self.server = local_address(self._transport)
        self.client = remote_address(self._transport)
        self.scheme = "wss" if is_ssl(self._transport) else "ws"
        self._state.connections.add(self)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Read the request. A client that sends more before the answer is left to uvicorn's protocol."""
        if self._data:
            self._fall_back().data_received(data)
            return
        self.begin(data, read(data), self._config.loaded_app)

    def begin(self, data: bytes, request: HandshakeRequest | None, app: Any) -> None:
        """Let an ASGI application answer a request. None stands for one that only uvicorn can read."""
        self._data = data
        self._request = request
        if request is None:
            self._fall_back()
            return
        self._call = asyncio.get_running_loop().create_task(app(self.scope, self.receive, self.send))
        self._state.tasks.add(self._call)
        self._call.add_done_callback(self._ended)

    def eof_received(self) -> None:
        """Return None, by which the transport closes."""

    def pause_writing(self) -> None:
        """Pass it on: only uvicorn's protocol writes more than the answer to the handshake."""
        self._fall_back().pause_writing()

    def resume_writing(self) -> None:
        """Pass it on to uvicorn's protocol."""
        self._fall_back().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let uvicorn's protocol tell the application."""
        self._fall_back().connection_lost(exc)

    def shutdown(self) -> None:
        """End as uvicorn ends its own WebSockets."""
        self._fall_back().shutdown()

    # calls of the application

    @property
    def scope(self) -> dict[str, Any]:
        """The ASGI scope of this connection."""
        if self._scope is None:
            assert self._request is not None
            said = self.scheme, self.server, self.client
            self._scope = websocket_scope(self._request, *said, self._config, self._app_state)
            self._scope["extensions"] = {
                "websocket.http.response": {},
                RELAY: self.detach_transport,
                EXTENSION: self.take_over,
            }
        return self._scope

    async def receive(self) -> Any:
        """Return ``websocket.connect`` first; after that uvicorn's protocol gives the messages."""
        if self._taken:
            return {"type": "websocket.disconnect", "code": 1005}
        if self._connect_told or self._resumed is not None:
            return await self._fall_back().receive()
        self._connect_told = True
        return {"type": "websocket.connect"}

    async def send(self, message: Any) -> None:
        """Accept the connection. uvicorn's protocol takes any other message."""
        if self._taken:
            return  # a middleware closes after the call, though the connection goes on
        untouched = self._resumed is None and not self._accepted
        if not untouched or message["type"] != "websocket.accept" or self._request is None:
            await self._fall_back().send(message)
            return
        self._accept(message.get("headers", ()), message.get("subprotocol"))
        # It is not written now: a lane writes it together with its first packet, which saves a system call.
        asyncio.get_running_loop().call_soon(self._write_answer)

    def _accept(self, headers: Iterable[Header], subprotocol: str | None) -> None:
        """Make the answer that opens the WebSocket, for ``take_over``."""
        assert self._request is not None
        log_accepted(lambda: self.scope)
        self._accepted = True
        self._answer = answer(self._request.key, (*self._state.default_headers, *headers), subprotocol)

    def _write_answer(self) -> None:
        if self._answer and not self._taken:
            self._transport.write(self._answer)
        self._answer = b""

    def take_over(self, make: Callable[[asyncio.Transport, set[Any], bytes], asyncio.Protocol]) -> bool:
        """Give the accepted connection to another protocol.

        Args:
            make: makes that protocol, from the transport, uvicorn's set of open connections, and the answer
                that it must write first (empty when the answer is written).

        Returns:
            False, without a call of ``make``, when uvicorn's protocol serves already or the connection ends.
        """
        if self._resumed is not None or not self._accepted or self._transport.is_closing():
            return False
        self._leave()
        self._transport.set_protocol(make(self._transport, self._state.connections, self._answer))
        return True

    def detach_transport(self) -> tuple[asyncio.Transport, set[Any]] | None:
        """Return the transport, which is the caller's from now on, and uvicorn's set of open connections.

        Returns None when the handshake was answered, when uvicorn's protocol serves, or the connection ends.
        """
        if self._resumed is not None or self._accepted or self._transport.is_closing():
            return None
        self._leave()
        return self._transport, self._state.connections

    def _leave(self) -> None:
        self._taken = True
        self._state.connections.discard(self)

    def _ended(self, call: asyncio.Task[Any]) -> None:
        self._state.tasks.discard(call)
        if not self._taken:
            self._fall_back()  # it closes the connection, and logs the error
        elif not call.cancelled() and call.exception() is not None:
            logger.error("Exception in ASGI application\n", exc_info=call.exception())

    def _fall_back(self) -> ResumedProtocol:
        """Let uvicorn's protocol serve this connection from now on."""
        if self._resumed is None:
            self._write_answer()
            self._state.connections.discard(self)
            self._resumed = resumed = ResumedProtocol(self._config, self._state, self._app_state)
            resumed.connection_made(self._transport)
            resumed.resume(self._data, self._call, told=self._connect_told, accepted=self._accepted)
            # It is not set now, because uvicorn may be about to set this protocol.
            asyncio.get_running_loop().call_soon(self._step_aside, resumed)
        return self._resumed

    def _step_aside(self, resumed: ResumedProtocol) -> None:
        if self._transport.get_protocol() is self and not self._transport.is_closing():
            self._transport.set_protocol(resumed)


def log_accepted(scope: Callable[[], Any]) -> None:
    """Write the line that uvicorn writes about a WebSocket that it has accepted, if its log is on."""
    if logger.isEnabledFor(logging.INFO):
        made = scope()
        target = get_path_with_query_string(made)
        logger.info('%s - "WebSocket %s" [accepted]', get_client_addr(made), target)
