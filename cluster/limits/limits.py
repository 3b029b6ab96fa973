"""The layer that limits a server and its clients, and the way in which a client above a limit is closed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from socketio_cluster.cluster.cli.options import Limits
from socketio_cluster.cluster.limits.admission import Admission, AdmissionRule
from socketio_cluster.cluster.limits.pacer import Pacer
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.host.server import Host

NAME: Final = "limits"


TOO_BIG: Final = 1009
"""The close code for a message over the limit."""
PAYLOAD_TOO_LARGE: Final = "payload too large"
"""The reason that disconnect handlers get after such a message."""
POLICY: Final = 1008
"""The close code for a client that sends too many events."""
RATE_LIMIT: Final = "rate limit"
"""The reason that disconnect handlers get for such a client."""


class Limited(NamedTuple):
    """The two limits of one server; None for one that is not set."""

    admission: Admission | None
    pacer: Pacer | None


class Limiter:
    """The layer.

    Args:
        limits: the limits that are set.
        managers: returns all managers of the process; their connections are counted together.
    """

    name = NAME

    def __init__(self, limits: Limits, managers: Callable[[], Sequence[ClusterManager]]) -> None:
        self._limits = limits
        self._managers = managers
        self._admission: Admission | None = None
        if limits.max_connections is not None or limits.connects_per_second is not None:
            door = AdmissionRule(limits.max_connections, limits.connects_per_second, time.monotonic())
            self._admission = Admission(door, self.connections)

    def connections(self) -> int:
        """Return the number of connections of this process."""
        return sum(manager.stats.connections for manager in self._managers())

    def install(self, manager: ClusterManager) -> Limited:
        """Set the limits of a manager's server."""
        limits = self._limits
        if limits.max_payload is not None:
            manager.host.engine.max_http_buffer_size = limits.max_payload
        if limits.rooms_per_client is not None and manager.options.rooms_per_client is None:
            manager.options = replace(manager.options, rooms_per_client=limits.rooms_per_client)
        pacer = None
        if limits.events_per_second is not None:
            pacer = Pacer(limits.events_per_second, manager)
        return Limited(self._admission, pacer)


def admission_of(host: Host) -> Admission | None:
    """Return the object that decides about new connections of a server; None when all are let in."""
    limited: Limited | None = host.layers.get(NAME)
    return None if limited is None else limited.admission


def pacer_of(host: Host) -> Pacer | None:
    """Return the object that holds up events of a server's clients; None when their rate is not limited."""
    limited: Limited | None = host.layers.get(NAME)
    return None if limited is None else limited.pacer


def size(data: str | bytes) -> int:
    """Return the bytes of a message; text counts as UTF-8."""
    return len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode("utf-8", "replace"))
