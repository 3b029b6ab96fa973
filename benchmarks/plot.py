"""A picture of the table: for each row, a bar for each contender; plain SVG."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.contenders import CONTENDERS
from benchmarks.report import middle
from benchmarks.rows import Row
from benchmarks.run import Run

WIDTH, LEFT, BAR, GAP, HEAD, COLUMNS = 480, 180, 16, 6, 44, 2
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 13px }
.unit { fill: #6e7781 }
.bar { fill: #9aa4af }
.ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .unit { fill: #8d96a0 }
  .bar { fill: #5b6570 }
  .ours { fill: #58a6ff }
}
"""
PLOTTED = ("fanout", "paced", "rooms", "pairs", "pairs1", "amqp", "echo", "idle", "connects")


def write_plot(run: Run, path: Path) -> None:
    """Draw the first figure of each row that has more than one contender."""
    panels = [_panel(run, row) for row in run.rows if row.name in PLOTTED]
    height = HEAD + len(CONTENDERS) * (BAR + GAP) + 2 * GAP  # all alike, to make columns
    lines = -(-len(panels) // COLUMNS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * COLUMNS} {height * lines}" '
        'role="img" aria-label="The figures of the benchmark as bars; shorter is better">'
        f"<style>{STYLE}</style>"
    ]
    for number, panel in enumerate(panels):
        x, y = number % COLUMNS * WIDTH, number // COLUMNS * height
        parts.append(f'<g transform="translate({x} {y})">{panel}</g>')
    path.write_text("\n".join([*parts, "</svg>\n"]))


def _panel(run: Run, row: Row) -> str:
    metric = row.metrics[0]
    found = {name: middle(run.outcomes.get((row.name, name)), metric) for name in row.contenders}
    values = {name: value for name, value in found.items() if value is not None}
    most = max(values.values(), default=1.0)
    parts = [
        f'<text class="title" x="10" y="18">{escape(row.title)}</text>',
        f'<text class="unit" x="10" y="34">{escape(metric.title)}</text>',
    ]
    for number, (name, value) in enumerate(values.items()):
        parts.append(_bar(name, value / most, f"{value:,.{metric.digits}f}", HEAD + number * (BAR + GAP)))
    return "".join(parts)


def _bar(name: str, share: float, label: str, y: int) -> str:
    size = max(1.0, share * (WIDTH - LEFT - 80))
    kind = "bar ours" if name == "ours" else "bar"
    return (
        f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(CONTENDERS[name].title)}</text>'
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{size:.1f}" height="{BAR}" rx="2"/>'
        f'<text x="{LEFT + size + 6:.1f}" y="{y + 12}">{label}</text>'
    )
