"""The vertical axis of a chart: where a value stands, and which values are written beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

from socketio_cluster.loadtest.report.charts import Chart, Series, Value
from socketio_cluster.loadtest.report.numbers import decades, ticks

WIDE = 60.0
"""When the highest is so many times the lowest, equal steps would press one line onto the floor."""


@dataclass(frozen=True)
class Axis:
    """An axis in equal steps from 0, or in powers of ten."""

    marks: list[float]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """From 0 at the foot to 1 at the top."""
        first, last = self.marks[0], self.marks[-1]
        if self.logarithmic:
            value = min(max(value, first), last)
            return (log10(value) - log10(first)) / (log10(last) - log10(first))
        return value / last


def axis_of(chart: Chart) -> Axis:
    """Choose the axis of a chart: powers of ten for latencies that differ much."""
    series = stacked(chart.series) if chart.stacked else chart.series
    values = [value for one in series for value in one.values if value is not None]
    above = [value for value in values if value > 0]
    if chart.unit == " ms" and above and max(above) > WIDE * min(above):
        return Axis(decades(min(above), max(above)), logarithmic=True)
    return Axis(ticks(max(values, default=0)))


def stacked(series: list[Series]) -> list[Series]:
    """Give the lines with each standing on those before it; all have their gaps at the same places."""
    found: list[Series] = []
    base: list[Value] = [0.0] * max((len(one.values) for one in series), default=0)
    for one in series:
        base = [
            None if below is None or value is None else below + value
            for below, value in zip(base, one.values, strict=True)
        ]
        found.append(Series(one.name, base, one.figure))
    return found
