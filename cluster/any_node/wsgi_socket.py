"""The TCP connection of a WSGI request for a WebSocket, which is joined to another node."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import Never, cast

from socketio_cluster.cluster.any_node.connections import Connections
from socketio_cluster.cluster.any_node.wsgi_environ import Environ, Scope
from socketio_cluster.cluster.http.websocket import RELAY


class ClientSocket:
    """The socket of a request, which the event loop of the node may read and write.

    Args:
        environ: the request. Not every server tells its socket, and that of TLS cannot be shared.
    """

    def __init__(self, environ: Environ) -> None:
        self._gunicorn = "gunicorn.socket" in environ
        found = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
        self._sock: socket.socket | None = None if isinstance(found, ssl.SSLSocket) else found
        self._transport: asyncio.Transport | None = None

    @property
    def shared(self) -> bool:
        """Whether the event loop can have the connection."""
        return self._sock is not None

    async def offer(self, scope: Scope, joined: Connections) -> None:
        """Offer the connection in a scope, as ``RelayProtocol`` does."""
        assert self._sock is not None
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(_Paused, self._sock.dup())
        self._transport = transport
        scope["extensions"][RELAY] = lambda: self._detach(joined)

    def _detach(self, joined: Connections) -> tuple[asyncio.Transport, Connections]:
        assert self._transport is not None
        transport, self._transport = self._transport, None
        transport.resume_reading()
        return transport, joined

    def take_back(self) -> None:
        """Let the thread of the request write an answer, if the connection was not joined."""
        if self._transport is not None and self._sock is not None:
            self._transport.abort()
            self._sock.setblocking(True)  # both descriptors share this flag

    def end(self) -> Never:
        """End the connection, and tell the server in its own way that there is no answer to the request."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
        raise StopIteration if self._gunicorn else ConnectionError


class _Paused(asyncio.Protocol):
    """Reads nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).pause_reading()
