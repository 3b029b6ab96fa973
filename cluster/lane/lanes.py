"""The lanes of a process: one flusher for its loop, group for each of its servers."""

from __future__ import annotations

import asyncio
from typing import Any

import socketio

from socketio_cluster.cluster.lane.flusher import Flusher
from socketio_cluster.cluster.lane.install import NAME, ServerLanes
from socketio_cluster.cluster.plain import PlainWebSockets
from socketio_cluster.manager.client_manager import ClusterManager


class Lanes:
    """The layer that gives servers lanes; made inside the running loop.

    Args:
        app: what is served. When it is anything but Socket.IO's own application, middlewares may stand
            before that: then the ASGI call of a lane lasts as long as its connection, and what they do in
            the end is done at its end. That costs an idle connection some kilobytes.
    """

    name = NAME

    def __init__(self, app: Any = None) -> None:
        self._calls_stay = not _is_bare(app)
        self._flusher = Flusher(asyncio.get_running_loop())

    def install(self, manager: ClusterManager) -> ServerLanes:
        """Give the server of a manager lanes."""
        return ServerLanes(manager, self._flusher, calls_stay=self._calls_stay)


def _is_bare(app: Any) -> bool:
    """Whether nothing stands before the Socket.IO server that could want to know of a connection's end."""
    while isinstance(app, PlainWebSockets):
        app = app.other
    return isinstance(app, socketio.ASGIApp)
