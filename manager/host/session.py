"""Functions for the sessions of Engine.IO: python-engineio's sockets, one for each connection.

Each connection keeps the context variables that it came with. Middlewares set them: the id of a request, a
tenant, the data of Sentry and OpenTelemetry. Work that a node does by itself, for another node or for a
timer, must not run with the variables of the client that happened to connect first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from engineio.async_socket import AsyncSocket


class State(Enum):
    """The state of a session."""

    NEW = "new"
    """The session has no transport yet."""
    OPEN = "open"
    UPGRADING = "upgrading"
    """The session changes from polling to a WebSocket. Neither transport can take a goodbye now."""
    CLOSING = "closing"
    """The disconnect handlers run."""
    CLOSED = "closed"


def state_of(socket: Any) -> State:
    """Return the state that the flags of a socket stand for."""
    if socket.closed:
        return State.CLOSED
    if socket.closing:
        return State.CLOSING
    if socket.upgrading:
        return State.UPGRADING
    # The socket of a plain client is never `connected`, because no HTTP request belongs to its session.
    return State.OPEN if socket.connected or socket.upgraded else State.NEW


class CloseFrame(NamedTuple):
    """The contents of a WebSocket's close frame: the close code of RFC 6455, and a text for people."""

    code: int
    text: str


async def hang_up(socket: Any, reason: str) -> None:
    """Close a session. A poll is answered with CLOSE, now or when it comes. A WebSocket is closed.

    Args:
        socket: python-engineio's socket.
        reason: the text that the disconnect handlers get.
    """
    await _close(socket, abort=socket.upgraded, reason=reason)


async def break_off(socket: Any, reason: str) -> None:
    """Close a session without a CLOSE packet, so that the client connects again.

    After a CLOSE packet python-socketio's client would not do so. The arguments are those of ``hang_up``.
    """
    await _close(socket, abort=True, reason=reason)


async def _close(socket: Any, *, abort: bool, reason: str) -> None:
    await socket.close(wait=False, abort=abort, reason=reason)
    if socket.upgraded:
        socket.queue.put_nowait(None)  # On this mark python-engineio's writer closes the WebSocket.


async def close_socket(socket: Any, **how: Any) -> None:
    """Call the ``close`` of python-engineio's class, even if this socket has another one."""
    await AsyncSocket.close(socket, **how)


def pinged_by(target: Any) -> Any:
    """Return the socket whose next ping this background task sends, or None for any other task."""
    if getattr(target, "__func__", None) is AsyncSocket._send_ping:
        return target.__self__
    return None


Result = TypeVar("Result")


def keep_context(socket: Any) -> Context:
    """Store a copy of the current context for a connection, and return it.

    Args:
        socket: python-engineio's socket.
    """
    context = copy_context()
    socket.context = context
    return context


async def in_context_of(socket: Any, work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in the context of a connection, or in the current context if none is stored."""
    context = getattr(socket, "context", None)
    if context is None:
        return await work
    # Not by the loop's factory: an eager task would enter the context at once, in which this may run already.
    return await asyncio.Task(work, loop=asyncio.get_running_loop(), context=context)
