"""The rows of the table: what the load does, and what is read from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.metrics import (
    CONNECT,
    CONNECT_CPU,
    COUNT,
    CPU,
    ECHO_CPU,
    EMIT_CPU,
    JOIN_CPU,
    LEAVE_CPU,
    LOAD,
    LOST,
    MEMORY,
    P50,
    P99,
    RATE,
    REFUSED,
    ROOM_BYTES,
    STAYED_P99,
    STORM,
    TOTAL,
    Metric,
)
from benchmarks.scale import Scale, fitting

SERVERS = ("ours", "recovery", "stock", "node", "bun", "node-recovery", "rust")
ALL = (*SERVERS, "c")
WARM = 100
"""Connections made before others are measured, so that imports and first allocations do not count."""


@dataclass(frozen=True)
class Row:
    """One measurement, for each of some contenders.

    Args:
        name: what ``--only`` calls it.
        title: what the table calls it.
        load: the options for the load generator (see load.c).
        metrics: what is read from its figures; the first is the one that counts.
        contenders: who takes part.
        bus: "redis", "amqp", "nats" or "local".
        nodes: how many there are.
        targets: to how many of them clients connect.
        doomed: the last node is killed while the load runs.
    """

    name: str
    title: str
    load: Callable[[Scale], dict[str, object]]
    metrics: tuple[Metric, ...]
    contenders: tuple[str, ...] = SERVERS
    bus: str = "redis"
    nodes: int = 2
    targets: int = 2
    doomed: bool = False


EMITTERS = 32
"""Loops that emit to pairs at the same time, as handlers of many users do."""


def _flood(join: str, most: int = 0, rate: int = 0) -> Callable[[Scale], dict[str, object]]:
    return lambda scale: {"clients": scale.clients, "join": join, "flood": f"{most},{rate},{scale.seconds},1"}


def _pairs(emitters: int, rate: int = 0) -> Callable[[Scale], dict[str, object]]:
    def load(scale: Scale) -> dict[str, object]:
        pairs = scale.clients // 2
        flood = f"60000,{rate},{scale.seconds},{emitters}"
        return {"clients": pairs * 2, "join": f"p,{pairs},1,2", "flood": flood}

    return load


def _echo(scale: Scale) -> dict[str, object]:
    return {"clients": min(100, scale.clients), "echo": scale.seconds}


def _idle(scale: Scale) -> dict[str, object]:
    return {"clients": scale.idle, "warm": WARM, "settle": 1000}


def _crowd(scale: Scale) -> dict[str, object]:
    return {"clients": fitting(scale.crowd) - WARM, "warm": WARM, "settle": 1000}


def _polling(scale: Scale) -> dict[str, object]:
    clients = min(500, scale.clients)
    return {"clients": clients, "polling": 1, "join": EVERYBODY, "flood": f"0,20,{scale.seconds},1"}


def _avalanche(victims: int) -> Callable[[Scale], dict[str, object]]:
    """``warm`` are those who stay."""
    return lambda scale: {
        "warm": scale.clients,
        "clients": fitting(victims * scale.clients // 1000),
        "join": EVERYBODY,
        "storm": max(5, victims // 1000),
    }


def _membership(scale: Scale) -> dict[str, object]:
    """Each of 20 times as many rooms as clients has ten members on two nodes."""
    rooms = 20 * scale.clients
    flood = f"60000,0,{scale.seconds},1"
    return {"clients": scale.clients, "join": f"m,{rooms},200,1", "stride": 20, "flood": flood, "leave": 1}


def _connects(scale: Scale) -> dict[str, object]:
    return {"clients": scale.clients, "warm": WARM}


EVERYBODY, TWENTY_ROOMS, ROOMS_OF_TEN = "r,1,1,1", "r,40,20,1", "r,100,1,2"
LIVE = ("ours", "stock", "node", "bun", "rust")
"""Those whose events are not kept."""
MOST = 12_000
"""Messages flat out: at 150 bytes each, less than the 4 MiB that may wait for one client of ours."""

ROWS = (
    Row("fanout", "Fan-out flat out", _flood(EVERYBODY, MOST), (CPU, RATE, LOAD), ALL),
    Row("paced", "Fan-out, 50 broadcasts/s", _flood(EVERYBODY, rate=50), (CPU, P50, P99, LOAD), ALL),
    Row("rooms", "Fan-out, each client in 20 of 40 rooms", _flood(TWENTY_ROOMS, MOST), (CPU, RATE, LOAD)),
    Row("tens", "Rooms of ten, 500 emits/s", _flood(ROOMS_OF_TEN, rate=500), (P50, P99, CPU)),
    Row("pairs", f"Pairs across two nodes, {EMITTERS} loops", _pairs(EMITTERS), (EMIT_CPU, P50, LOAD)),
    Row("pairs1", "Pairs across two nodes, one loop", _pairs(1), (EMIT_CPU, P50, LOAD)),
    Row("pairs4", "Pairs on 2 of 4 nodes", _pairs(EMITTERS), (EMIT_CPU,), ("ours",), nodes=4),
    Row("pairs8", "Pairs on 2 of 8 nodes", _pairs(EMITTERS), (EMIT_CPU,), ("ours",), nodes=8),
    Row("amqp", "Pairs over RabbitMQ", _pairs(EMITTERS), (EMIT_CPU, P50), ("ours", "stock"), bus="amqp"),
    Row(
        "amqp500",
        "Pairs over RabbitMQ, 500 emits/s",
        _pairs(1, rate=500),
        (P50, P99, EMIT_CPU),
        ("ours", "stock"),
        bus="amqp",
    ),
    Row("nats", "Pairs over NATS", _pairs(EMITTERS), (EMIT_CPU, P50), ("ours",), bus="nats"),
    Row("local", "Pairs over the local bus", _pairs(EMITTERS), (EMIT_CPU, P50), ("ours",), bus="local"),
    Row("echo", "Echo: event with ack", _echo, (ECHO_CPU, P50, P99, LOAD)),
    Row("idle", "Idle WebSockets", _idle, (MEMORY,), nodes=1, targets=1),
    Row("crowd", "Very many on one node", _crowd, (MEMORY, TOTAL, COUNT), ("ours",), nodes=1, targets=1),
    Row("connects", "Connects", _connects, (CONNECT, CONNECT_CPU)),
    Row("polling", "Polling, 20 events/s to each", _polling, (CPU, P50, P99)),
    Row(
        "membership",
        "Each client in 200 of 20 000 rooms",
        _membership,
        (JOIN_CPU, LEAVE_CPU, ROOM_BYTES, CPU),
        LIVE,
    ),
    *(
        Row(
            f"avalanche{thousands}",
            f"{thousands}000 clients of a killed node come back",
            _avalanche(thousands * 1000),
            (STORM, STAYED_P99, LOST, REFUSED),
            LIVE,
            nodes=3,
            targets=3,
            doomed=True,
        )
        for thousands in (5, 15)
    ),
)
