"""The rules by which requests are refused: ``verify`` and ``handshake`` of engine.io 6.6.

A session that ends for breaking a rule is over at once: the next request of its client is for an unknown
session.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from socketio_cluster.cluster.strict.answers import (
    BAD_METHOD,
    BAD_REQUEST,
    SECOND_WEBSOCKET,
    SESSION_UNKNOWN,
    TRANSPORT_UNKNOWN,
    VERSION_UNSUPPORTED,
    HttpAnswer,
)
from socketio_cluster.cluster.strict.request import EngineRequest
from socketio_cluster.manager.host.session import hang_up

VERSION = "4"


def refusal(request: EngineRequest, eio: Any) -> HttpAnswer | None:
    """Return the answer to a request that breaks a rule, or None.

    Args:
        request: any but a CORS preflight.
        eio: the Engine.IO server.
    """
    if request.transport not in eio.transports:
        return TRANSPORT_UNKNOWN
    if request.sid is None:
        return _handshake(request)
    socket = eio.sockets.get(request.sid)
    if socket is None or not socket.connected or is_over(socket):
        return SESSION_UNKNOWN
    if socket.closed and not _last_words(request, socket):
        return SESSION_UNKNOWN
    return _session(request, socket)


def _handshake(request: EngineRequest) -> HttpAnswer | None:
    if request.method != "GET":
        return BAD_METHOD
    if (request.transport == "websocket") != request.upgrade:
        return BAD_REQUEST
    return None if request.version == VERSION else VERSION_UNSUPPORTED


def _session(request: EngineRequest, socket: Any) -> HttpAnswer | None:
    fits = (request.transport == "websocket") == request.upgrade and request.method in ("GET", "POST")
    # engine.io answers VERSION_UNSUPPORTED only in a handshake.
    if not fits or request.version != VERSION:
        return BAD_REQUEST
    if request.upgrade:
        return SECOND_WEBSOCKET if socket.upgrading or socket.upgraded or socket.closing else None
    return BAD_REQUEST if socket.upgraded else None  # polling ends with the upgrade


def _last_words(request: EngineRequest, socket: Any) -> bool:
    """Return whether this poll gets the packets that waited when the server closed the session."""
    polls = request.method == "GET" and not request.upgrade and not socket.upgraded
    return polls and not socket.queue.empty()


def mark_over(socket: Any) -> None:
    """Refuse all further requests of this session, though its disconnect handlers may still run."""
    socket.over = True


def is_over(socket: Any) -> bool:
    """Return whether ``mark_over`` was called for this session."""
    return getattr(socket, "over", False)


def cut_off(socket: Any, spawn: Callable[[Coroutine[Any, Any, Any]], object]) -> None:
    """End the session of a client that breaks the protocol; a poll that waits is answered with CLOSE.

    This returns at once, and the application's disconnect handlers run in a task.
    """
    mark_over(socket)
    spawn(hang_up(socket, socket.server.reason.TRANSPORT_ERROR))
