"""The result of a run as plain values: what is written as JSON and what the report is made of."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from socketio_cluster.loadtest.address import hosts_of
from socketio_cluster.loadtest.latency import Latency
from socketio_cluster.loadtest.thresholds import check
from socketio_cluster.loadtest.timeline import EVENTS, Timeline
from socketio_cluster.loadtest.verdict import Verdict

BUSY = 0.85
"""Share of a core above which the generator, not the server, may be what is measured."""

SECRET = ("auth", "headers")


def summarize(
    scenario: str,
    options: Mapping[str, Any],
    limits: Mapping[str, float | None],
    verdict: Verdict,
    timeline: Timeline,
    warnings: list[str],
) -> dict[str, Any]:
    """Everything about one run; `options` are the command line's, `limits` go by a threshold's option."""
    seconds = sorted(timeline.seconds)
    delivered = timeline.latency("same_node", "cross_node")
    calls, connecting = timeline.latency("calls"), timeline.latency("connecting")
    counts = {event: timeline.total(event) for event in EVENTS}
    figures = {**verdict.as_dict(), **counts, **_figures(delivered, calls, connecting)}
    thresholds = check(figures, limits)
    return {
        "scenario": scenario,
        "hosts": hosts_of(options.get("host")),
        "options": {name: "set" if value and name in SECRET else value for name, value in options.items()},
        "started": datetime.fromtimestamp(seconds[0] if seconds else 0, UTC).isoformat(),
        "seconds": seconds[-1] - seconds[0] + 1 if seconds else 0,
        "ok": all(row["ok"] for row in thresholds),
        "verdict": verdict.as_dict(),
        "counts": counts,
        "errors": dict(timeline.errors.most_common()),
        "latency_ms": {
            "same_node": timeline.latency("same_node").summary(),
            "cross_node": timeline.latency("cross_node").summary(),
            "all": delivered.summary(),
        },
        "calls_ms": calls.summary(),
        "connecting_ms": connecting.summary(),
        "thresholds": thresholds,
        "warnings": warnings + _busy(timeline),
        "timeline": timeline.records(),
        "versions": {name: version(name) for name in ("socketio-cluster", "locust", "gevent")}
        | {"python": platform.python_version()},
    }


def _figures(delivered: Latency, calls: Latency, connecting: Latency) -> dict[str, float | None]:
    summary = delivered.summary()
    return {
        **{f"{share}_ms": summary[share] for share in ("p50", "p90", "p99")},
        "call_p99_ms": calls.summary()["p99"],
        "connect_p99_ms": connecting.summary()["p99"],
    }


def _busy(timeline: Timeline) -> list[str]:
    busy = [second.generator_cpu for second in timeline.seconds.values() if second.generator_cpu > BUSY]
    if len(busy) < max(1, len(timeline.seconds) // 10):
        return []
    return [
        f"The generator used up to {max(busy):.0%} of a core, above {BUSY:.0%} in {len(busy)} of "
        f"{len(timeline.seconds)} seconds: it may be what was measured. Use --processes, or more machines."
    ]
