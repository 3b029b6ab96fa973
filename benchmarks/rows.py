"""The rows of the table: what the load does, and what is read from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.scale import Scale, fitting

Figures = dict[str, Any]

SERVERS = ("ours", "recovery", "stock", "node", "node-recovery", "rust")
ALL = (*SERVERS, "c")
WARM = 100
"""Connections made before others are measured, so that imports and first allocations do not count."""


@dataclass(frozen=True)
class Metric:
    """One figure."""

    name: str
    title: str
    read: Callable[[Figures], float]
    digits: int = 1


@dataclass(frozen=True)
class Row:
    """One measurement, for each of some contenders.

    Args:
        name: what ``--only`` calls it.
        title: what the table calls it.
        load: the options for the load generator (see load.c).
        metrics: what is read from its figures; the first is the one that counts.
        contenders: who takes part.
        bus: "redis" or "amqp".
        nodes: how many there are.
        targets: to how many of them clients connect.
    """

    name: str
    title: str
    load: Callable[[Scale], dict[str, object]]
    metrics: tuple[Metric, ...]
    contenders: tuple[str, ...] = SERVERS
    bus: str = "redis"
    nodes: int = 2
    targets: int = 2


EMITTERS = 32
"""Loops that emit to pairs at the same time, as handlers of many users do."""


def _flood(join: str, most: int = 0, rate: int = 0) -> Callable[[Scale], dict[str, object]]:
    return lambda scale: {"clients": scale.clients, "join": join, "flood": f"{most},{rate},{scale.seconds},1"}


def _pairs(emitters: int) -> Callable[[Scale], dict[str, object]]:
    def load(scale: Scale) -> dict[str, object]:
        pairs = scale.clients // 2
        flood = f"60000,0,{scale.seconds},{emitters}"
        return {"clients": pairs * 2, "join": f"p,{pairs},1,2", "flood": flood}

    return load


def _echo(scale: Scale) -> dict[str, object]:
    return {"clients": min(100, scale.clients), "echo": scale.seconds}


def _idle(scale: Scale) -> dict[str, object]:
    return {"clients": scale.idle, "warm": WARM, "settle": 1000}


def _crowd(scale: Scale) -> dict[str, object]:
    return {"clients": fitting(scale.crowd) - WARM, "warm": WARM, "settle": 1000}


def _connects(scale: Scale) -> dict[str, object]:
    return {"clients": scale.clients, "warm": WARM}


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

EVERYBODY, TWENTY_ROOMS = "r,1,1,1", "r,40,20,1"
MOST = 12_000
"""Messages flat out: at 150 bytes each, less than the 4 MiB that may wait for one client of ours."""

ROWS = (
    Row("fanout", "Fan-out flat out", _flood(EVERYBODY, MOST), (CPU, RATE, LOAD), ALL),
    Row("paced", "Fan-out, 50 broadcasts/s", _flood(EVERYBODY, rate=50), (CPU, P50, P99, LOAD), ALL),
    Row("rooms", "Fan-out, each client in 20 of 40 rooms", _flood(TWENTY_ROOMS, MOST), (CPU, RATE, LOAD)),
    Row("pairs", f"Pairs across two nodes, {EMITTERS} loops", _pairs(EMITTERS), (EMIT_CPU, P50, LOAD)),
    Row("pairs1", "Pairs across two nodes, one loop", _pairs(1), (EMIT_CPU, P50, LOAD)),
    Row("pairs4", "Pairs on 2 of 4 nodes", _pairs(EMITTERS), (EMIT_CPU,), ("ours",), nodes=4),
    Row("pairs8", "Pairs on 2 of 8 nodes", _pairs(EMITTERS), (EMIT_CPU,), ("ours",), nodes=8),
    Row("amqp", "Pairs over RabbitMQ", _pairs(EMITTERS), (EMIT_CPU, P50), ("ours", "stock"), bus="amqp"),
    Row("echo", "Echo: event with ack", _echo, (ECHO_CPU, P50, P99, LOAD)),
    Row("idle", "Idle WebSockets", _idle, (MEMORY,), nodes=1, targets=1),
    Row("crowd", "Very many on one node", _crowd, (MEMORY, TOTAL, COUNT), ("ours",), nodes=1, targets=1),
    Row("connects", "Connects", _connects, (CONNECT, CONNECT_CPU)),
)
