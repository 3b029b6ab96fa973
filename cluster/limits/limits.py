"""The limits of a worker, and how they get into its servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.limits.admission import Door, Doorkeeper
from socketio_cluster.cluster.limits.pacer import Pacer
from socketio_cluster.cluster.options import Limits, ServeOptions
from socketio_cluster.manager.client_manager import ClusterManager


def check_limits(options: ServeOptions) -> None:
    """Raise UsageError when a worker would be full before it is unready."""
    soft, hard = options.soft_connections, options.max_connections
    if soft is not None and hard is not None and soft > hard:
        raise UsageError(
            f"--soft-connections {soft} is above --max-connections {hard}: a worker would refuse clients "
            "while it is still ready"
        )


class Limiter:
    """Puts the limits into the servers of a worker.

    Args:
        limits: what to put.
        managers: gives all managers of the process: connections are counted together.
    """

    def __init__(self, limits: Limits, managers: Callable[[], Sequence[ClusterManager]]) -> None:
        self._limits = limits
        self._managers = managers
        self._doorkeeper: Doorkeeper | None = None
        if limits.max_connections is not None or limits.connects_per_second is not None:
            door = Door(limits.max_connections, limits.connects_per_second, time.monotonic())
            self._doorkeeper = Doorkeeper(door, self.connections)

    def connections(self) -> int:
        """How many connections there are."""
        return sum(manager.stats.connections for manager in self._managers())

    def install(self) -> None:
        """Limit every server, once; before the lanes, which read the size of a message when they are made."""
        for manager in self._managers():
            served = manager.server is not None and manager.server.eio.async_mode == "asgi"
            if served and not hasattr(manager.server.eio, "doorkeeper"):
                self._limit(manager)

    def _limit(self, manager: ClusterManager) -> None:
        limits, eio = self._limits, manager.server.eio
        eio.doorkeeper = self._doorkeeper
        eio.pacer = None
        if limits.events_per_second is not None:
            attachments = manager.server.packet_class.uses_binary_events
            eio.pacer = Pacer(limits.events_per_second, attachments, manager.stats)
        if limits.max_payload is not None:
            eio.max_http_buffer_size = limits.max_payload
        if limits.rooms_per_client is not None and manager.options.rooms_per_client is None:
            manager.options = replace(manager.options, rooms_per_client=limits.rooms_per_client)
