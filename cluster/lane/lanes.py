"""The lanes of a process: one flusher for its loop, hooks for each of its servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import socketio

from socketio_cluster.cluster.lane.flusher import Flusher
from socketio_cluster.cluster.lane.install import LaneHooks
from socketio_cluster.cluster.plain import PlainWebSockets
from socketio_cluster.manager.client_manager import ClusterManager


class Lanes:
    """Puts lanes into the servers of this process; made inside its running loop.

    Args:
        app: what is served. When it is anything but Socket.IO's own application, middlewares may stand
            before that: then the ASGI call of a lane lasts as long as its connection, and what they do in
            the end is done at its end. That costs an idle connection some kilobytes.
    """

    def __init__(self, app: Any = None) -> None:
        self._calls_stay = not _is_bare(app)
        self._flusher = Flusher(asyncio.get_running_loop())
        self._hooks: dict[ClusterManager, LaneHooks] = {}

    def install(self, managers: Iterable[ClusterManager]) -> None:
        """Give the server of each manager lanes, once; the other async modes have no WebSockets of ours."""
        for manager in managers:
            served = manager.server is not None and manager.server.eio.async_mode == "asgi"
            if served and manager not in self._hooks:
                self._hooks[manager] = LaneHooks(manager, self._flusher, calls_stay=self._calls_stay)


def _is_bare(app: Any) -> bool:
    """Whether nothing stands before the Socket.IO server that could want to know of a connection's end."""
    while isinstance(app, PlainWebSockets):
        app = app.other
    return isinstance(app, socketio.ASGIApp)
