"""The end of an Engine.IO session that the server does not want to go on with."""

from __future__ import annotations

from typing import Any


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
