"""The sessions of Engine.IO: python-engineio's sockets, one for each connection."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from engineio.async_socket import AsyncSocket


class State(Enum):
    """The way of a session."""

    NEW = "new"
    """It has no transport yet."""
    OPEN = "open"
    UPGRADING = "upgrading"
    """It goes over from polling to a WebSocket: neither transport takes a goodbye now."""
    CLOSING = "closing"
    """Its disconnect handlers run."""
    CLOSED = "closed"


def state_of(socket: Any) -> State:
    """The state that the flags of a socket stand for."""
    if socket.closed:
        return State.CLOSED
    if socket.closing:
        return State.CLOSING
    if socket.upgrading:
        return State.UPGRADING
    # A plain client's socket is never `connected`: no HTTP request belongs to its session.
    return State.OPEN if socket.connected or socket.upgraded else State.NEW


class CloseFrame(NamedTuple):
    """How a WebSocket is closed: the close code of RFC 6455, and a text for people."""

    code: int
    text: str


async def hang_up(socket: Any, reason: str) -> None:
    """Close a session: a poll is answered with CLOSE, now or when it comes; a WebSocket is closed.

    Args:
        socket: python-engineio's socket.
        reason: what the disconnect handlers are told.
    """
    await _close(socket, abort=socket.upgraded, reason=reason)


async def break_off(socket: Any, reason: str) -> None:
    """Close a session without a CLOSE packet, after which python-socketio's client would not come back.

    The arguments are those of ``hang_up``.
    """
    await _close(socket, abort=True, reason=reason)


async def _close(socket: Any, *, abort: bool, reason: str) -> None:
    await socket.close(wait=False, abort=abort, reason=reason)
    if socket.upgraded:
        socket.queue.put_nowait(None)  # python-engineio's writer closes the WebSocket on this mark


async def close_socket(socket: Any, **how: Any) -> None:
    """Do what python-engineio's class does in ``close``, though this socket may have another one."""
    await AsyncSocket.close(socket, **how)


def pinged_by(target: Any) -> Any:
    """The socket whose next ping this background task is; None for any other task."""
    if getattr(target, "__func__", None) is AsyncSocket._send_ping:
        return target.__self__
    return None


Result = TypeVar("Result")


def keep_context(socket: Any) -> Context:
    """Let a connection have the current context from now on.

    Args:
        socket: python-engineio's socket.
    """
    context = copy_context()
    socket.context = context
    return context


async def in_context_of(socket: Any, work: Coroutine[Any, Any, Result]) -> Result:
    """Do something in the context of a connection; in the current one if that has none."""
    context = getattr(socket, "context", None)
    if context is None:
        return await work
    return await asyncio.get_running_loop().create_task(work, context=context)
