"""The table of a comparison, in Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import fmean
from typing import Any


@dataclass
class Row:
    """What one server did: its run, in the form of the load test's ``--json``, or why there is none.

    Args:
        title: the server.
        run: the results, see ``socketio_cluster.loadtest.report``.
        cpu_seconds: of all its processes, a supervisor included, during the run.
        memory: their resident bytes at the end.
        trouble: why there are no results.
    """

    title: str
    run: dict[str, Any] = field(default_factory=dict)
    cpu_seconds: float = 0
    memory: int = 0
    trouble: str = ""


def _per_second(row: Row) -> str:
    busy = [second["deliveries"] for second in row.run["timeline"] if second["deliveries"]]
    return f"{fmean(busy):,.0f}" if busy else NOTHING


def _generator(row: Row) -> str:
    shares = [second["generator_cpu"] for second in row.run["timeline"] if second["generator_cpu"]]
    return f"{fmean(shares):.0%}" if shares else NOTHING


def _milliseconds(what: str, share: str) -> Callable[[Row], str]:
    def read(row: Row) -> str:
        figures = row.run["latency_ms"]["all"] if what == "deliveries" else row.run[what]
        return NOTHING if figures[share] is None else f"{figures[share]:,.1f}"

    return read


def _verdict(name: str) -> Callable[[Row], str]:
    return lambda row: f"{row.run['verdict'][name]:,}"


NOTHING = "-"
COLUMNS: dict[str, Callable[[Row], str]] = {
    "deliveries/s": _per_second,
    "delivery p50 ms": _milliseconds("deliveries", "p50"),
    "delivery p99 ms": _milliseconds("deliveries", "p99"),
    "ack p50 ms": _milliseconds("calls_ms", "p50"),
    "ack p99 ms": _milliseconds("calls_ms", "p99"),
    "connect p99 ms": _milliseconds("connecting_ms", "p99"),
    "lost": _verdict("lost"),
    "duplicated": _verdict("duplicated"),
    "reordered": _verdict("reordered"),
    "server CPU s": lambda row: f"{row.cpu_seconds:.1f}",
    "server MiB": lambda row: f"{row.memory / 2**20:,.0f}",
    "generator CPU": _generator,
}
"""A column of which no server has a figure is left out."""


def table(load: str, nodes: int, rows: list[Row]) -> str:
    """Give the table; ``load`` is the scenario with its options."""
    measured = [row for row in rows if not row.trouble]
    cells = {name: [read(row) for row in measured] for name, read in COLUMNS.items()}
    columns = [name for name, values in cells.items() if any(value != NOTHING for value in values)]
    lines = [["server", *columns], ["---", *("--:" for _ in columns)]]
    lines += [[row.title, *(COLUMNS[name](row) for name in columns)] for row in measured]
    where = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    many = "1 node each" if nodes == 1 else f"{nodes} nodes each"
    parts = [f"`{load}`, {many}; {where}; {datetime.now(UTC).date().isoformat()}", ""]
    parts += [f"| {' | '.join(line)} |" for line in lines] if measured else []
    parts += [f"\n{row.title} was not measured: {row.trouble}" for row in rows if row.trouble]
    return "\n".join(parts)
