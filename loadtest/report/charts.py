"""What the report draws: the timeline of a run as named series."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import Any

from socketio_cluster.loadtest.report.numbers import short

Value = float | None
Second = dict[str, Any]
Read = Callable[[Second], Value]
Reduce = Callable[[list[float]], float]

POINTS = 240
"""A longer run is drawn with one point for several seconds."""
GAP = 2
"""Points further apart than this are not joined; a sample may slip into the next second."""
SHARES = ("p50", "p90", "p99")
TROUBLE = ("errors", "disconnects", "reconnects", "refused")


@dataclass(frozen=True)
class Series:
    """A line: its name, a value for each point (None: a gap), and the one figure to remember of it."""

    name: str
    values: list[Value]
    figure: str


@dataclass(frozen=True)
class Chart:
    """Lines over the same time.

    Args:
        title: what is drawn, with its unit.
        unit: what stands behind a number.
        step: seconds from one point to the next.
        series: the lines.
        stacked: the values add up, each line stands on those before it.
    """

    title: str
    unit: str
    step: int
    series: list[Series]
    stacked: bool = False

    @property
    def points(self) -> int:
        """How many points each line has."""
        return max((len(one.values) for one in self.series), default=0)

    @property
    def empty(self) -> bool:
        """Whether nothing was measured."""
        return all(value is None for one in self.series for value in one.values)


def charts(run: dict[str, Any]) -> list[Chart]:
    """Give the charts of a run; those of which nothing was measured are left out."""
    timeline = run["timeline"]
    lines = _Lines(timeline, max(1, ceil(len(timeline) / POINTS)))
    found = [
        lines.latency(run["latency_ms"]["all"]),
        Chart("Deliveries per second", "/s", lines.step, [lines.count("deliveries")]),
        Chart("Connections by node", "", lines.step, lines.connections(), stacked=True),
        Chart("Errors and reconnects per second", "/s", lines.step, [lines.count(name) for name in TROUBLE]),
        Chart("CPU, % of a core", " %", lines.step, [*lines.server("cpu", " %", 100), lines.generator()]),
        Chart("Server memory, MiB", " MiB", lines.step, lines.server("rss", " MiB", 2**-20)),
    ]
    return [chart for chart in found if not chart.empty]


def pieces(values: list[Value]) -> list[list[tuple[int, float]]]:
    """Give the stretches of a line as (place, value); one missing point does not break it, two do."""
    found: list[list[tuple[int, float]]] = []
    last = -GAP - 1
    for at, value in enumerate(values):
        if value is None:
            continue
        if at - last > GAP:
            found.append([])
        found[-1].append((at, value))
        last = at
    return found


class _Lines:
    """Makes lines of a timeline, ``step`` seconds for each point."""

    def __init__(self, timeline: list[Second], step: int) -> None:
        self.step = step
        self._timeline = timeline

    def latency(self, overall: dict[str, Any]) -> Chart:
        series = [
            Series(share, self._line(_reader(f"{share}_ms"), max), _value(overall[share], " ms"))
            for share in SHARES
        ]
        return Chart("Delivery latency, ms", " ms", self.step, series)

    def count(self, name: str) -> Series:
        total = sum(second.get(name) or 0 for second in self._timeline)
        return Series(name, self._line(_reader(name), fmean), f"{total:,}")

    def generator(self) -> Series:
        values = self._line(lambda second: second["generator_cpu"] * 100 if _sampled(second) else None, fmean)
        return Series("generator", values, f"max {_value(_most(values), ' %')}")

    def connections(self) -> list[Series]:
        nodes = {node for second in self._timeline for node in second["connections_by_node"]}

        def read(second: Second) -> dict[str, Value]:
            here = second["connections_by_node"]
            return {node: here.get(node, 0) for node in nodes} if _sampled(second) else {}

        return self._by_node(read, "", max)

    def server(self, figure: str, unit: str, factor: float) -> list[Series]:
        def read(second: Second) -> dict[str, Value]:
            nodes = second.get("server") or {}
            return {node: one[figure] * factor for node, one in nodes.items() if figure in one}

        return self._by_node(read, unit, fmean)

    def _by_node(self, read: Callable[[Second], dict[str, Value]], unit: str, reduce: Reduce) -> list[Series]:
        every = [read(second) for second in self._timeline]
        series = []
        for node in sorted({node for nodes in every for node in nodes}):
            values = self._reduced([nodes.get(node) for nodes in every], reduce)
            series.append(Series(node, values, f"max {_value(_most(values), unit)}"))
        return series

    def _line(self, read: Read, reduce: Reduce) -> list[Value]:
        return self._reduced([read(second) for second in self._timeline], reduce)

    def _reduced(self, every: list[Value], reduce: Reduce) -> list[Value]:
        bins = (every[at : at + self.step] for at in range(0, len(every), self.step))
        known = ([value for value in values if value is not None] for values in bins)
        return [reduce(values) if values else None for values in known]


def _sampled(second: Second) -> bool:
    """Whether the generator came to note its state in this second; it always uses some CPU."""
    return bool(second["generator_cpu"])


def _reader(name: str) -> Read:
    return lambda second: second.get(name)


def _most(values: Iterable[Value]) -> Value:
    return max((value for value in values if value is not None), default=None)


def _value(value: Value, unit: str) -> str:
    return "-" if value is None else f"{short(value)}{unit}"
