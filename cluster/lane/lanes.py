"""The lanes of a process: one flusher for its loop, hooks for each of its servers."""

from __future__ import annotations

import asyncio

from socketio_cluster.cluster.lane.flusher import Flusher
from socketio_cluster.cluster.lane.install import NAME, LaneHooks
from socketio_cluster.manager.client_manager import ClusterManager


class Lanes:
    """The layer that gives servers lanes; made inside the running loop."""

    name = NAME

    def __init__(self) -> None:
        self._flusher = Flusher(asyncio.get_running_loop())

    def install(self, manager: ClusterManager) -> LaneHooks:
        """Give the server of a manager lanes."""
        return LaneHooks(manager, self._flusher)
