"""The page: the verdict first, then the charts, then every figure."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from socketio_cluster.loadtest.report import tables
from socketio_cluster.loadtest.report.charts import Chart
from socketio_cluster.loadtest.report.svg import draw

STYLE = Path(__file__).parent / "style.css"

TILES = {
    "expected": "expected deliveries",
    "delivered": "delivered",
    "lost": "lost",
    "duplicated": "duplicated",
    "reordered": "out of order",
    "leaked": "to the wrong receiver",
    "undecided": "around joins and leaves",
    "missed_away": "missed while away",
    "foreign": "of another run",
}
NO_METRICS = "CPU and memory of the servers were not measured: see <code>--metrics</code>."
WRONG = ("lost", "duplicated", "reordered", "leaked", "foreign")
"""Of these there should be none."""


def passed(run: dict[str, Any]) -> bool:
    """Whether all thresholds hold."""
    return all(row["ok"] for row in run["thresholds"])


def page(run: dict[str, Any], charts: list[Chart]) -> str:
    """Give the whole page as HTML that needs no other file."""
    parts = [*_head(run), *_tiles(run), *_charts(charts), *_figures(run)]
    title = escape(f"{run['scenario']}: load test")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _head(run: dict[str, Any]) -> Iterator[str]:
    word, kind = ("passed", "good") if passed(run) else ("failed", "bad")
    yield f'<header><h1>{escape(run["scenario"])}</h1><span class="pill {kind}">{word}</span></header>'
    started = run["started"][:19].replace("T", " ")
    hosts = ", ".join(run["hosts"])
    yield f"<p>{escape(hosts)} · {escape(started)} UTC · {run['seconds']} s</p>"
    for warning in run.get("warnings", []):
        yield f'<p class="warning">{escape(warning)}</p>'


def _tiles(run: dict[str, Any]) -> Iterator[str]:
    yield '<div class="tiles">'
    for name, title in TILES.items():
        value = run["verdict"].get(name)
        if value is None or (value == 0 and name in ("undecided", "missed_away", "foreign")):
            continue
        kind = ' class="bad"' if value and name in WRONG else ""
        yield f'<div class="tile"><b{kind}>{value:,}</b><span>{title}</span></div>'
    yield "</div>"


def _charts(charts: list[Chart]) -> Iterator[str]:
    yield '<h2>Over time</h2><div class="cards">'
    for chart in charts:
        legend = "".join(
            f'<li><i class="c{number % 8}"></i>{escape(one.name)} <b>{escape(one.figure)}</b></li>'
            for number, one in enumerate(chart.series)
        )
        yield (
            f'<section class="card"><h3>{escape(chart.title)}</h3>'
            f'<ul class="legend">{legend}</ul>{draw(chart)}</section>'
        )
    if not any("memory" in chart.title for chart in charts):
        yield f'<section class="card hint"><p>{NO_METRICS}</p></section>'
    yield "</div>"


def _figures(run: dict[str, Any]) -> Iterator[str]:
    yield f'<div class="pair"><div><h2>Latency</h2>{tables.latencies(run)}</div>'
    yield f"<div><h2>Thresholds</h2>{tables.thresholds(run)}</div></div>"
    if errors := tables.errors(run):
        yield f'<h2>Errors</h2><div class="errors">{errors}</div>'
    yield f"<h2>Every second</h2><details><summary>Show the figures</summary>{tables.seconds(run)}</details>"
    yield f"<h2>How it was run</h2>{_options(run)}"


def _options(run: dict[str, Any]) -> str:
    given = {name: value for name, value in run["options"].items() if value not in (None, "", [], False)}
    rows = (
        f"<div><dt>{escape(name.replace('_', '-'))}</dt><dd>{escape(_words(value))}</dd></div>"
        for name, value in {**given, **run["versions"]}.items()
    )
    return f"<dl>{''.join(rows)}</dl>"


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
