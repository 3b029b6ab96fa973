"""The lanes of a process: one flusher for its loop, hooks for each of its servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from socketio_cluster.cluster.lane.flusher import Flusher
from socketio_cluster.cluster.lane.install import LaneHooks
from socketio_cluster.manager.client_manager import ClusterManager


class Lanes:
    """Puts lanes into the servers of this process; made inside its running loop."""

    def __init__(self) -> None:
        self._flusher = Flusher(asyncio.get_running_loop())
        self._hooks: dict[ClusterManager, LaneHooks] = {}

    def install(self, managers: Iterable[ClusterManager]) -> None:
        """Give the server of each manager lanes, once; the other async modes have no WebSockets of ours."""
        for manager in managers:
            served = manager.server is not None and manager.server.eio.async_mode == "asgi"
            if served and manager not in self._hooks:
                self._hooks[manager] = LaneHooks(manager, self._flusher)
