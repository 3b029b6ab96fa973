"""The state of a worker, by its own report and by its supervisor's view, and what it means for the node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager


@dataclass(frozen=True, kw_only=True)
class Status:
    """The report of a worker about itself.

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
    """Return the status of a worker; from ``soft`` connections on it is full."""
    reasons = ["draining"] if draining else []
    away = [name for manager in managers for name in manager.away]
    reasons += [f"{name} is away" for name in dict.fromkeys(away)]
    if soft is not None and connections >= soft:
        reasons.append(f"{connections} connections, and --soft-connections is {soft}")
    return Status(
        ready=not reasons,
        reasons=reasons,
        bus="away" if away else "up",
        draining=draining,
        connections=connections,
        clients=sum(manager.client_count for manager in managers),
    )


class WorkerState(StrEnum):
    """The state of a worker that the supervisor knows without asking it."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Report:
    """The supervisor's view of a worker, and the worker's own status; None when it does not answer."""

    state: WorkerState
    status: Mapping[str, Any] | None

    @property
    def silent(self) -> bool:
        """Whether the worker should answer, and does not."""
        return self.state is WorkerState.SERVING and self.status is None

    def row(self) -> dict[str, Any]:
        """Return what the probe shows of it: `ready`, `reasons`, and the worker's own status."""
        if self.status is not None:
            return dict(self.status)
        reason = "does not answer" if self.silent else str(self.state)
        return {"ready": False, "reasons": [reason]}


Verdict = tuple[bool, dict[str, Any]]
"""Whether the answer is yes, and the JSON object that explains it."""


def live(reports: Mapping[str, Report]) -> Verdict:
    """Return whether one worker at least is not silent. The supervisor replaces a silent one by itself."""
    silent = [node for node, report in reports.items() if report.silent]
    alive = len(silent) < len(reports)
    return alive, {"live": alive, "silent": silent}


def ready(reports: Mapping[str, Report]) -> Verdict:
    """Return whether new clients should come here: one worker at least is ready."""
    rows = {node: report.row() for node, report in reports.items()}
    well = any(row["ready"] for row in rows.values())
    return well, {"ready": well, "workers": rows}
