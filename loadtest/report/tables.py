"""The tables of the page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from socketio_cluster.loadtest.report.numbers import clock, short

LATENCIES = {
    "same_node": "deliveries within a node",
    "cross_node": "deliveries between nodes",
    "all": "all deliveries",
    "calls": "acks",
    "connecting": "connecting",
}
SHARES = ("p50", "p90", "p99", "max")


def latencies(run: dict[str, Any]) -> str:
    """Percentiles of everything that was timed."""
    figures = {**run["latency_ms"], "calls": run["calls_ms"], "connecting": run.get("connecting_ms", {})}
    rows = [
        [title, *(_number(figures[kind][share]) for share in SHARES), f"{figures[kind]['count']:,}"]
        for kind, title in LATENCIES.items()
        if figures.get(kind, {}).get("count")
    ]
    return _table(["ms", *SHARES, "timed"], rows)


def thresholds(run: dict[str, Any]) -> str:
    """Each limit, what was measured, and whether that holds."""
    rows = [
        [row["name"], _number(row["limit"]), _number(row["value"]), _mark(row["ok"])]
        for row in run["thresholds"]
    ]
    return _table(["threshold", "limit", "measured", ""], rows)


def errors(run: dict[str, Any]) -> str:
    """The texts of errors, the most frequent first; empty without errors."""
    found = run.get("errors") or {}
    return _table(["error", "times"], [[text, f"{count:,}"] for text, count in found.items()])


def seconds(run: dict[str, Any]) -> str:
    """Every second of the run."""
    counts = ("users", "deliveries", "errors", "connects", "disconnects", "reconnects")
    latency = [f"{share}_ms" for share in SHARES]
    titles = ["time", *counts, *(name.replace("_", " ") for name in latency), "generator"]
    rows = [
        [
            clock(second["second"]),
            *(f"{second.get(name, 0):,}" for name in counts),
            *(_number(second[name]) for name in latency),
            f"{second['generator_cpu']:.0%}",
        ]
        for second in run["timeline"]
    ]
    return _table(titles, rows)


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def _mark(ok: bool) -> Html:
    return Html('<span class="good">holds</span>' if ok else '<span class="bad">broken</span>')


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if float(value).is_integer() else short(value)


def _table(titles: list[str], rows: Iterable[list[str]]) -> str:
    lines = ["".join(f"<td>{_cell(cell)}</td>" for cell in row) for row in rows]
    if not lines:
        return ""
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: str) -> str:
    return cell if isinstance(cell, Html) else escape(cell)
