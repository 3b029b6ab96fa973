"""What the server knows about a connection."""

from __future__ import annotations

from typing import Any, NamedTuple


class Connection(NamedTuple):
    """A connection as others may see it.

    ``address`` is the client's IP address, empty where the server has not told it. ``transport`` is "polling"
    or "websocket". ``sessions`` are python-socketio's, by namespace; they belong to the application.
    """

    address: str
    transport: str
    sessions: dict[str, Any]


def connection_of(server: Any, eio_sid: str) -> Connection | None:
    """Look at a connection of python-socketio's server; None when it has ended."""
    socket = server.eio.sockets.get(eio_sid)
    if socket is None:
        return None
    environ = server.environ.get(eio_sid) or {}
    transport = "websocket" if socket.upgraded else "polling"
    return Connection(_address(environ), transport, socket.session)


def is_free(server: Any, eio_sid: str) -> bool:
    """Whether a connection would take an event at once; one that has ended would not."""
    socket = server.eio.sockets.get(eio_sid)
    if socket is None:
        return False
    # The socket of a plain client is its own queue.
    return bool(socket.free if hasattr(socket, "free") else socket.queue.free)


def _address(environ: dict[str, Any]) -> str:
    """Of an ASGI request the scope says it: python-engineio puts 127.0.0.1 into each environ."""
    if "asgi.scope" in environ:
        client = environ["asgi.scope"].get("client")
        return str(client[0]) if client else ""
    return str(environ.get("REMOTE_ADDR", ""))
