"""What a worker says about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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


class State(StrEnum):
    """What the supervisor knows about a worker without asking it."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Report:
    """A worker: what the supervisor knows, and what the worker says; None when it does not answer."""

    state: State
    status: Mapping[str, Any] | None

    @property
    def silent(self) -> bool:
        """Whether it should answer, and does not."""
        return self.state is State.SERVING and self.status is None

    def row(self) -> dict[str, Any]:
        """As the probe shows it: `ready`, `reasons`, and what the worker says."""
        if self.status is not None:
            return dict(self.status)
        reason = "does not answer" if self.silent else str(self.state)
        return {"ready": False, "reasons": [reason]}


Verdict = tuple[bool, dict[str, Any]]
"""Whether all is well, and the JSON that says so."""


def live(reports: Mapping[str, Report]) -> Verdict:
    """Whether a restart would not help: a silent worker is replaced by the supervisor itself."""
    silent = [node for node, report in reports.items() if report.silent]
    alive = len(silent) < len(reports)
    return alive, {"live": alive, "silent": silent}


def ready(reports: Mapping[str, Report]) -> Verdict:
    """Whether new clients should come here: when one worker at least wants them."""
    rows = {node: report.row() for node, report in reports.items()}
    well = any(row["ready"] for row in rows.values())
    return well, {"ready": well, "workers": rows}
