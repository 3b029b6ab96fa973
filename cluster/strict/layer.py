"""The layer that makes an Engine.IO server answer as the JavaScript server does."""

from __future__ import annotations

from typing import Final

from socketio_cluster.cluster.strict.gate import Gate
from socketio_cluster.cluster.strict.opening import correct_opening
from socketio_cluster.cluster.strict.pings import PingClock
from socketio_cluster.cluster.strict.websocket import check_websockets
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.host.server import Host

NAME: Final = "strict"


class Strict:
    """The layer."""

    name = NAME

    def install(self, manager: ClusterManager) -> Gate:
        """Check requests, packets and WebSockets of a manager's server."""
        host = manager.host
        PingClock(host)
        correct_opening(host)
        check_websockets(host, manager.stats)
        return Gate(host, manager.spawn, manager.stats)


def gate_of(host: Host) -> Gate | None:
    """The gate of a server; None where this process is no worker of ``serve``."""
    return host.layers.get(NAME)
