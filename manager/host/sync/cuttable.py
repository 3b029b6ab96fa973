"""A WebSocket of a threaded server whose TCP connection can be ended from any thread."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI


class CuttableWebSocket(SimpleWebSocketWSGI):  # type: ignore[misc]
    """python-engineio's WebSocket for threads; its Engine.IO socket has it as the attribute ``cuttable``."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        handler.__self__.cuttable = self

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Serve the WebSocket until it ends."""
        opened = environ.get("wsgi.websocket")
        if opened is not None:  # gevent-websocket has made the handshake already.
            self.ws = GeventWebSocket(opened)
            return self.app(self)
        try:
            return super().__call__(environ, start_response)
        finally:
            self.cut()  # Otherwise werkzeug would go on reading, for another request.

    def cut(self) -> None:
        """End the TCP connection at once. Threads that read from it or write to it get an error."""
        with contextlib.suppress(AttributeError, OSError):  # It is not open yet, or it is closed already.
            self.ws.sock.shutdown(socket.SHUT_RDWR)


class GeventWebSocket:
    """A WebSocket of gevent-websocket with the methods of simple-websocket's."""

    connected = True

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self.sock = opened.handler.socket

    def send(self, message: str | bytes) -> None:
        """Send a message. Raises ``OSError`` when the connection has ended."""
        self._opened.send(message)

    def receive(self) -> Any:
        """Return the next message; None when the connection has ended."""
        return self._opened.receive()

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()
