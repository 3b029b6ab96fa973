"""What a worker says about itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from socketio_cluster.manager.client_manager import ClusterManager


@dataclass(frozen=True, kw_only=True)
class Status:
    """A worker as it is now.

    ``connections`` are Engine.IO sessions, ``clients`` are counted per namespace. ``reasons`` say why it
    should get no new clients; it is ready when there are none.
    """

    ready: bool
    reasons: list[str]
    bus: str
    draining: bool
    connections: int
    clients: int


def status_of(
    managers: Sequence[ClusterManager], *, connections: int, soft: int | None, draining: bool
) -> Status:
    """The status of a worker; ``soft`` is the number of connections with which it is full."""
    reasons = ["draining"] if draining else []
    bus = all(manager.ready for manager in managers)
    if not bus:
        reasons.append("the bus is away")
    if soft is not None and connections >= soft:
        reasons.append(f"{connections} connections, and --soft-connections is {soft}")
    return Status(
        ready=not reasons,
        reasons=reasons,
        bus="up" if bus else "away",
        draining=draining,
        connections=connections,
        clients=sum(manager.client_count for manager in managers),
    )
