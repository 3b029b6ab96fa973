"""What is read from the figures of the load generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Metric:
    """One figure."""

    name: str
    title: str
    read: Callable[[Figures], float]
    digits: int = 1


CPU = Metric("cpu_us", "CPU µs per delivery", lambda f: f["cpu_s"] / f["deliveries"] * 1e6, digits=2)
EMIT_CPU = Metric("cpu_us", "CPU µs per emit", lambda f: f["cpu_s"] / f["messages"] * 1e6)
ECHO_CPU = Metric("cpu_us", "CPU µs per round trip", lambda f: f["cpu_s"] / f["messages"] * 1e6)
RATE = Metric("per_s", "deliveries/s", lambda f: f["deliveries"] / f["seconds"], digits=0)
P50 = Metric("p50_ms", "p50, ms", lambda f: f["p50_ms"])
P99 = Metric("p99_ms", "p99, ms", lambda f: f["p99_ms"])
LOAD = Metric("load", "load generator, % of a core", lambda f: f["load_cpu_s"] / f["seconds"] * 100, digits=0)
MEMORY = Metric("kib", "KiB per connection", lambda f: f["memory_bytes"] / f["clients"] / 1024)
COUNT = Metric("clients", "connections", lambda f: f["clients"], digits=0)
TOTAL = Metric("mib", "MiB for all", lambda f: f["memory_bytes"] / 2**20, digits=0)
CONNECT = Metric("seconds", "seconds", lambda f: f["connect_s"], digits=3)
CONNECT_CPU = Metric(
    "cpu_us", "CPU µs per connect", lambda f: f["connect_cpu_s"] / f["clients"] * 1e6, digits=0
)
STORM = Metric("storm_s", "seconds until all are served", lambda f: f["storm_s"], digits=2)
STAYED_P99 = Metric("p99_ms", "p99 of those who stayed, ms", lambda f: f["p99_ms"])
LOST = Metric("lost", "events lost by those who stayed", lambda f: f["expected"] - f["deliveries"], digits=0)
REFUSED = Metric("refused", "connections refused or ended meanwhile", lambda f: f["gone"], digits=0)
JOIN_CPU = Metric("cpu_us", "CPU µs per join", lambda f: f["join_cpu_s"] / f["joined"] * 1e6)
LEAVE_CPU = Metric("leave_us", "CPU µs per leave", lambda f: f["leave_cpu_s"] / f["joined"] * 1e6)
ROOM_BYTES = Metric("bytes", "bytes per membership", lambda f: f["rooms_bytes"] / f["joined"], digits=0)
