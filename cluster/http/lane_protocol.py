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
from functools import partial
from typing import Any, Final, cast
from urllib.parse import unquote

from uvicorn import Config
from uvicorn.protocols.utils import (
    get_client_addr,
    get_local_addr,
    get_path_with_query_string,
    get_remote_addr,
    is_ssl,
)
from uvicorn.server import ServerState

from socketio_cluster.cluster.http.handshake import HandshakeRequest, Header, answer, read
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
        self._make_scope: Callable[[], dict[str, Any]]
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
        # The HTTP protocol that has read the request knows the addresses: asking again takes four system
        # calls.
        http = self._transport.get_protocol()
        self.server = getattr(http, "server", None) or get_local_addr(self._transport)
        self.client = getattr(http, "client", None) or get_remote_addr(self._transport)
        self.scheme = "wss" if is_ssl(self._transport) else "ws"
        self._state.connections.add(self)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Read the request. A client that sends more before the answer is left to uvicorn's protocol."""
        if self._data:
            self._fall_back().data_received(data)
            return
        self.begin(data, read(data))

    def begin(self, data: bytes, request: HandshakeRequest | None) -> None:
        """Begin with a request. None stands for one that only uvicorn's protocol can read."""
        self._data = data
        self._request = request
        if request is None:
            self._fall_back()
        else:
            self._start(request)

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

    def _start(self, request: HandshakeRequest) -> None:
        said = self.scheme, self.server, self.client
        self._make_scope = partial(_scope, request, *said, self._config, self._app_state)
        app = self._config.loaded_app
        # The connection can only be passed on at once when the transport has this protocol already.
        enter = getattr(app, "enter", None) if self._transport.get_protocol() is self else None
        if enter is None or not enter(self, request, self._make_scope):
            self.serve(app)

    @property
    def scope(self) -> dict[str, Any]:
        """The ASGI scope of this connection."""
        if self._scope is None:
            self._scope = self._make_scope()
            self._scope["extensions"] = {
                "websocket.http.response": {},
                RELAY: self.detach_transport,
                EXTENSION: self.take_over,
            }
        return self._scope

    def serve(self, app: Any) -> None:
        """Let an ASGI application answer."""
        self._call = asyncio.get_running_loop().create_task(app(self.scope, self.receive, self.send))
        self._state.tasks.add(self._call)
        self._call.add_done_callback(self._ended)

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
        self.accept(message.get("headers", ()), message.get("subprotocol"))
        # It is not written now: a lane writes it together with its first packet, which saves a system call.
        asyncio.get_running_loop().call_soon(self._write_answer)

    def accept(self, headers: Iterable[Header] = (), subprotocol: str | None = None) -> None:
        """Make the answer that opens the WebSocket, for ``take_over``."""
        assert self._request is not None
        if logger.isEnabledFor(logging.INFO):
            scope: Any = self.scope
            target = get_path_with_query_string(scope)
            logger.info('%s - "WebSocket %s" [accepted]', get_client_addr(scope), target)
        self._accepted = True
        said = [(name.lower(), value) for name, value in (*self._state.default_headers, *headers)]
        if subprotocol:
            said.append((b"Sec-WebSocket-Protocol", subprotocol.encode()))
        self._answer = answer(self._request.key, said)

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


def _scope(
    request: HandshakeRequest,
    scheme: str,
    server: Any,
    client: Any,
    config: Config,
    app_state: dict[str, Any],
) -> dict[str, Any]:
    """Return the ASGI scope that uvicorn's protocol would make."""
    path = request.path.decode("ascii")
    return {
        "type": "websocket",
        "asgi": {"version": config.asgi_version, "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": scheme,
        "server": server,
        "client": client,
        "root_path": config.root_path,
        "path": config.root_path + (unquote(path) if "%" in path else path),
        "raw_path": config.root_path.encode("ascii") + request.path,
        "query_string": request.query,
        "headers": request.headers,
        "subprotocols": request.subprotocols,
        "state": app_state.copy(),
        "extensions": {},
    }
