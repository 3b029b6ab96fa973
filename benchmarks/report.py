"""The table: medians over the rounds, one line for each figure, one column for each contender."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

from benchmarks.contenders import CONTENDERS
from benchmarks.metrics import Metric
from benchmarks.rows import Row
from benchmarks.run import Outcome, Run

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
EMPTY = f"""# Benchmarks

`python -m benchmarks` writes this page; how it measures is told in `benchmarks/README.md`.

![The table as bars; shorter is better](benchmarks.svg)

{BEGIN}
{END}
"""


def write_report(run: Run, place: dict[str, str], folder: Path) -> None:
    """Write benchmarks.json, and the table into benchmarks.md between its markers."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = {**place, "versions": _versions(run), "outcomes": [vars(each) for each in run.outcomes.values()]}
    (folder / "benchmarks.json").write_text(json.dumps(raw, indent=1) + "\n")
    page = folder / "benchmarks.md"
    text = page.read_text() if page.exists() else EMPTY
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    page.write_text(f"{before}{BEGIN}\n{table(run, place)}\n{END}{after}")


def table(run: Run, place: dict[str, str]) -> str:
    """The table in Markdown, what was measured on what below it."""
    names = [name for name in CONTENDERS if any(name == other for _, other in run.outcomes)]
    lines = [
        "| | | " + " | ".join(CONTENDERS[name].title for name in names) + " |",
        "|---|---|" + "--:|" * len(names),
    ]
    for row in run.rows:
        for metric in row.metrics:
            title = f"**{row.title}**" if metric is row.metrics[0] else ""
            cells = [_cell(run.outcomes.get((row.name, name)), metric) for name in names]
            lines.append(f"| {title} | {metric.title} | {' | '.join(cells)} |")
    versions = [f"* {CONTENDERS[name].title}: {words}" for name, words in _versions(run).items()]
    return "\n".join([*lines, "", _circumstances(run, place), "", *versions, *_notes(run)])


def _circumstances(run: Run, place: dict[str, str]) -> str:
    scale = run.scale
    return (
        f"{place['machine']}, {place['system']}; commit {place['commit']}, {place['date']}. "
        f"Medians of {scale.rounds} round(s), {scale.seconds:g} s each; {scale.clients} clients over two "
        f"nodes, {scale.idle} idle ones; payload 128 bytes. CPU is that of the servers, without the bus."
    )


def middle(outcome: Outcome | None, metric: Metric) -> float | None:
    """The median of a figure; None when there is none."""
    if outcome is None or not outcome.figures:
        return None
    return median(metric.read(figures) for figures in outcome.figures)


def _cell(outcome: Outcome | None, metric: Metric) -> str:
    value = middle(outcome, metric)
    if value is not None:
        return f"{value:,.{metric.digits}f}"
    return "" if outcome is None else "skipped"


def _versions(run: Run) -> dict[str, str]:
    measured = {name for (_, name), outcome in run.outcomes.items() if outcome.figures}
    return {name: contender.version() for name, contender in CONTENDERS.items() if name in measured}


def _notes(run: Run) -> list[str]:
    """What was skipped and why, what was lost."""
    rows: dict[str, Row] = {row.name: row for row in run.rows}
    notes = []
    for outcome in run.outcomes.values():
        where = f"{CONTENDERS[outcome.contender].title}, {rows[outcome.row].title.lower()}"
        lost = sum(figures["expected"] - figures["deliveries"] for figures in outcome.figures)
        if outcome.trouble:
            notes.append(f"* {where}: {outcome.trouble.splitlines()[0]}")
        if lost:
            notes.append(f"* {where}: {lost:,} deliveries never came")
    return notes
