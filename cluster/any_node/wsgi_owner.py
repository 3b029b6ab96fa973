"""Requests that other nodes pass on to a threaded server, each in a thread of its own."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

from socketio_cluster.cluster.any_node.wsgi_environ import Environ, environ_of
from socketio_cluster.cluster.forward.forwarder import Forwarder
from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.cluster.forward.messages import Ask
from socketio_cluster.cluster.strict.answers import SESSION_UNKNOWN
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.sync.in_thread import in_thread

logger = logging.getLogger("socketio_cluster.cluster")


class WsgiOwner:
    """Answers for the sessions of a threaded server.

    Args:
        host: the server.
        local: the server as a WSGI application.
    """

    def __init__(self, host: Host, local: Callable[..., Any]) -> None:
        self._host = host
        self._local = local

    async def answer(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a poll or a POST."""
        environ = environ_of(scope, await self._body(receive))
        response = await in_thread(self._host.server, self._call, environ)
        await _send(response, send)

    async def unknown(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer that there is no such session."""
        cors = self._host.cors_headers(environ_of(scope))
        response = Response()
        response.start(SESSION_UNKNOWN.status, [*SESSION_UNKNOWN.headers, *cors])
        response.body = SESSION_UNKNOWN.body
        await _send(response, send)

    def hand_over(self, line: NodeLine, owner: Forwarder, ask: Ask) -> None:
        """Serve a client's WebSocket on a line, in a thread."""
        sock = line.transport.get_extra_info("socket").dup()
        line.transport.abort()  # This closes its own descriptor only, and says nothing to the other side.
        sock.setblocking(True)
        environ = environ_of({**ask.scope(), "type": "websocket"})
        self._host.server.start_background_task(self._serve, environ, sock)

    async def _body(self, receive: Any) -> bytes:
        most = self._host.engine.max_http_buffer_size
        body, more = b"", True
        while more:
            event = await receive()
            more = event.get("more_body", False)
            if len(body) <= most:
                body += event.get("body", b"")
        return body

    def _call(self, environ: Environ) -> Response:
        response = Response()
        response.body = b"".join(self._local(environ, response.start))
        return response

    def _serve(self, environ: Environ, sock: socket.socket) -> None:
        environ["werkzeug.socket"] = sock
        try:
            sock.sendall(self._call(environ).bytes())  # It was refused.
        except OSError as error:  # With werkzeug's socket a ConnectionError is the end of a WebSocket.
            logger.debug("a WebSocket from another node has ended: %r", error)
        finally:
            sock.close()


class Response:
    """What a WSGI application answers."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """Stand in for WSGI's ``start_response``."""
        self.status, self.headers = status, headers

    def bytes(self) -> bytes:
        """Return the answer as HTTP has it, after which the connection is closed."""
        headers = [*self.headers, ("Connection", "close")]
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


async def _send(response: Response, send: Any) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    status = int(response.status.partition(" ")[0])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
