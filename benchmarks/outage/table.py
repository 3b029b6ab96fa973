"""The table of the trials, as ``docs/scale.md`` shows it."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.outage.trial import Outcome

HEAD = (
    "| load | fault | Redis sends before, CPU of all nodes | all back on the bus | caught up "
    "| Redis sent meanwhile (times a calm bus) | CPU meanwhile | lost | doubled or late |",
    "|---|---|---|---|---|---|---|---|---|",
)


def rows(outcomes: Iterable[Outcome]) -> list[str]:
    """Give the table's lines."""
    return [*HEAD, *map(_row, outcomes)]


def _row(outcome: Outcome) -> str:
    cells = (
        outcome.load.title,
        outcome.fault,
        f"{outcome.calm_rate / 1e6:.2f} MB/s, {outcome.calm_cpu:.0%} of a core",
        _seconds(outcome.back),
        _seconds(outcome.caught_up),
        f"{outcome.sent / 1e6:.1f} MB ({outcome.share:.1f})",
        f"{outcome.cpu:.1f} s",
        f"{outcome.lost:,} of {outcome.due:,}",
        f"{outcome.wrong:,}",
    )
    return f"| {' | '.join(cells)} |"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"
