"""A WebSocket that can be cut."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI


class Wire(SimpleWebSocketWSGI):  # type: ignore[misc]
    """python-engineio's WebSocket for threads; its Engine.IO socket finds it as ``wire``."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        handler.__self__.wire = self

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Serve the WebSocket until it ends."""
        try:
            return super().__call__(environ, start_response)
        finally:
            self.cut()  # werkzeug would read on, for another request

    def cut(self) -> None:
        """End the TCP connection at once: threads that read or write it go on, with an error."""
        with contextlib.suppress(AttributeError, OSError):  # not open yet, or closed already
            self.ws.sock.shutdown(socket.SHUT_RDWR)
