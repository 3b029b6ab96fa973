"""What ``call()`` raises for a client that is gone."""

from __future__ import annotations

from socketio.exceptions import TimeoutError as SocketIOTimeoutError


class ClientGone(SocketIOTimeoutError):  # type: ignore[misc]
    """The client, or the node that served it, went away before it answered a ``call()``.

    It is a ``TimeoutError`` of python-socketio. So code that catches a timed-out ``call()`` also catches a
    client that left before it answered.
    """
