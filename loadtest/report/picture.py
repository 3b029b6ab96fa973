"""The picture: the charts on one sheet, for where a page does not go."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

from socketio_cluster.loadtest.report.axis import axis_of
from socketio_cluster.loadtest.report.charts import Chart, Series, pieces
from socketio_cluster.loadtest.report.numbers import clock, moments, short
from socketio_cluster.loadtest.report.page import passed

COLOURS = ("#2563c9", "#d97706", "#b3265e", "#0d8a72", "#7446c4", "#5f7285", "#a16207", "#0e86b4")
SOFT, TEXT, RULE = "#5b6472", "#16191f", "#e2e6ec"
COLUMNS = 3


def save(run: dict[str, Any], charts: list[Chart], path: Path) -> None:
    """Draw the charts of a run into a PNG."""
    # Imported here: it takes a second that only a report should cost.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = max(1, ceil(len(charts) / COLUMNS))
    figure = Figure(figsize=(14, 1.2 + 2.9 * rows), dpi=120, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    word = "passed" if passed(run) else "failed"
    verdict = run["verdict"]
    figure.suptitle(
        f"{run['scenario']}: {word}. {verdict['expected']:,} deliveries expected, {verdict['lost']:,} lost, "
        f"{verdict['duplicated']:,} duplicated, {verdict['reordered']:,} out of order",
        x=0.01, ha="left", fontsize=13, fontweight="bold", color=TEXT,
    )  # fmt: skip
    grid = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for place in grid[len(charts) :]:
        place.axis("off")
    for place, chart in zip(grid, charts, strict=False):
        _draw(place, chart)
    figure.savefig(path)


def _draw(place: Any, chart: Chart) -> None:
    if chart.stacked:
        _stack(place, chart)
    else:
        _lines(place, chart)
    axis = axis_of(chart)
    if axis.logarithmic:
        place.set_yscale("log")
        place.minorticks_off()
    place.set_ylim(axis.marks[0], axis.marks[-1])
    place.set_yticks(axis.marks, [short(mark) for mark in axis.marks])
    seconds = moments((chart.points - 1) * chart.step)
    place.set_xticks(seconds, [clock(second) for second in seconds])
    place.set_title(chart.title, loc="left", fontsize=10.5, color=TEXT)
    place.tick_params(colors=SOFT, labelsize=8, length=0)
    place.set_axisbelow(True)
    place.grid(axis="y", color=RULE, linewidth=0.8)
    for side in place.spines.values():
        side.set_visible(False)
    columns = min(len(chart.series), 3)
    place.legend(fontsize=7.5, frameon=False, labelcolor=SOFT, ncols=columns, loc="upper center",
                 bbox_to_anchor=(0.5, -0.1))  # fmt: skip


def _lines(place: Any, chart: Chart) -> None:
    for number, series in enumerate(chart.series):
        label = _label(series)
        for piece in pieces(series.values):
            times, values = [at * chart.step for at, _ in piece], [value for _, value in piece]
            mark = "o" if len(piece) == 1 else ""
            colour = COLOURS[number % len(COLOURS)]
            place.plot(times, values, color=colour, linewidth=1.4, marker=mark, markersize=2.5, label=label)
            label = ""


def _stack(place: Any, chart: Chart) -> None:
    places = [at for at, value in enumerate(chart.series[0].values) if value is not None]
    times = [at * chart.step for at in places]
    layers = [[series.values[at] for at in places] for series in chart.series]
    labels = [_label(series) for series in chart.series]
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(layers))]
    place.stackplot(
        times,
        layers,
        labels=labels,
        colors=colours,
        alpha=0.75,
        edgecolor="white",
    )


def _label(series: Series) -> str:
    return f"{series.name} {series.figure}"
