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
        try:
            return super().__call__(environ, start_response)
        finally:
            self.cut()  # Otherwise werkzeug would go on reading, for another request.

    def cut(self) -> None:
        """End the TCP connection at once. Threads that read from it or write to it get an error."""
        with contextlib.suppress(AttributeError, OSError):  # It is not open yet, or it is closed already.
            self.ws.sock.shutdown(socket.SHUT_RDWR)
