"""Draws a chart as SVG; colours and fonts come from the page's style."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from socketio_cluster.loadtest.report.axis import Axis, axis_of, stacked
from socketio_cluster.loadtest.report.charts import Chart, pieces
from socketio_cluster.loadtest.report.numbers import clock, moments, short

WIDTH, HEIGHT = 400, 210
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 10, 24
COLOURS = 8

Points = list[tuple[float, float]]


def draw(chart: Chart) -> str:
    """Give the chart as one ``<svg>`` element."""
    axis = axis_of(chart)
    layers = _stack(chart, axis) if chart.stacked else _lines(chart, axis)
    parts = [*_marks(axis), *_moments(chart), *layers, *_columns(chart)]
    label = escape(f"{chart.title}: {', '.join(f'{one.name} {one.figure}' for one in chart.series)}")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _marks(axis: Axis) -> Iterator[str]:
    for value in axis.marks:
        y = _y(axis, value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{short(value)}</text>'


def _moments(chart: Chart) -> Iterator[str]:
    for second in moments((chart.points - 1) * chart.step):
        x = _x(chart, second / chart.step)
        yield f'<text x="{x}" y="{HEIGHT - 6}" text-anchor="middle">{clock(second)}</text>'


def _lines(chart: Chart, axis: Axis) -> Iterator[str]:
    for number, series in enumerate(chart.series):
        colour = f"c{number % COLOURS}"
        for piece in pieces(series.values):
            points = [(_x(chart, at), _y(axis, value)) for at, value in piece]
            if len(points) == 1:
                yield f'<circle class="{colour}" cx="{points[0][0]}" cy="{points[0][1]}" r="2.5"/>'
                continue
            if len(chart.series) == 1:
                yield _area(f"area {colour}", points, _foot(points))
            yield f'<path class="line {colour}" d="M{_path(points)}"/>'


def _stack(chart: Chart, axis: Axis) -> Iterator[str]:
    floor: Points = []
    for number, series in enumerate(stacked(chart.series)):
        known = [(at, value) for at, value in enumerate(series.values) if value is not None]
        points = [(_x(chart, at), _y(axis, value)) for at, value in known]
        yield _area(f"layer c{number % COLOURS}", points, floor or _foot(points))
        floor = points


def _columns(chart: Chart) -> Iterator[str]:
    """Invisible columns that say the values under the pointer."""
    width = round((WIDTH - LEFT - RIGHT) / max(chart.points - 1, 1), 1)
    for at in range(chart.points):
        values = (
            f"{one.name}: {short(value)}{chart.unit}"
            for one in chart.series
            if (value := one.values[at]) is not None
        )
        title = escape("\n".join([clock(at * chart.step), *values]))
        x = round(_x(chart, at) - width / 2, 1)
        size = f'width="{width}" height="{HEIGHT - TOP - BOTTOM}"'
        yield f'<rect x="{x}" y="{TOP}" {size}><title>{title}</title></rect>'


def _area(kind: str, points: Points, floor: Points) -> str:
    return f'<path class="{kind}" d="M{_path(points)}L{_path(floor[::-1])}Z"/>'


def _foot(points: Points) -> Points:
    y = float(HEIGHT - BOTTOM)
    return [(points[0][0], y), (points[-1][0], y)]


def _path(points: Points) -> str:
    return "L".join(f"{x} {y}" for x, y in points)


def _x(chart: Chart, at: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * at / max(chart.points - 1, 1), 1)


def _y(axis: Axis, value: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * axis.place(value), 1)
