"""`python -m benchmarks`: measure, and write table, figures and picture into docs/."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.build import HERE, compile_c
from benchmarks.contenders import CONTENDERS
from benchmarks.errors import Failed, Missing
from benchmarks.machine import describe
from benchmarks.plot import write_plot
from benchmarks.report import table, write_report
from benchmarks.rows import ROWS, Row
from benchmarks.run import Run
from benchmarks.scale import FULL, QUICK, Scale, open_files


def main() -> int:
    """Give the exit code: 1 when something that should have been measured failed, 2 when nothing can be."""
    given = _read_arguments()
    if not sys.platform.startswith("linux"):
        print("benchmarks: the load generator and the figures of processes need Linux", file=sys.stderr)
        return 2
    try:
        compile_c("load", "load")
    except (Missing, Failed) as error:
        print(f"benchmarks: the load generator cannot be compiled: {error}", file=sys.stderr)
        return 2
    open_files()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    scale = _scale(given)
    place, began = describe(), time.monotonic()
    run = Run(_rows(given.only, scale), given.against, scale)
    run.measure()
    print(f"\n{table(run, place)}\n\n{time.monotonic() - began:.0f} s")
    if given.output:
        write_report(run, place, given.output)
        write_plot(run, given.output / "benchmarks.svg")
    ours = [outcome for outcome in run.outcomes.values() if outcome.contender == "ours"]
    return 0 if all(outcome.figures for outcome in ours) else 1


def _read_arguments() -> argparse.Namespace:
    rows = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split(": ", 1)[1])
    add = parser.add_argument
    add("--quick", action="store_true", help="one round of a second each: within three minutes")
    add("--only", nargs="+", choices=rows, metavar="ROW", help=f"of {', '.join(rows)}")
    add("--against", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS), metavar="NAME",
        help=f"measure only these of {', '.join(CONTENDERS)}")  # fmt: skip
    add("--rounds", type=int, help="how often each is measured (default: 3; quick: 1)")
    add("--clients", type=int, help="connections (default: 1000)")
    add("--seconds", type=float, help="how long messages flow (default: 3; quick: 1)")
    add("--output", type=Path, metavar="FOLDER",
        help="where to write the results (default: docs, when everything is measured in full)")  # fmt: skip
    given = parser.parse_args()
    in_full = not given.only and not given.quick and len(given.against) == len(CONTENDERS)
    if given.output is None and in_full:
        given.output = HERE.parent / "docs"
    return given


def _scale(given: argparse.Namespace) -> Scale:
    scale = QUICK if given.quick else FULL
    said = {name: value for name in ("rounds", "clients", "seconds") if (value := getattr(given, name))}
    if "clients" in said:
        said["idle"] = said["clients"]
    return replace(scale, **said)


def _rows(only: list[str] | None, scale: Scale) -> list[Row]:
    rows = [row for row in ROWS if only is None or row.name in only]
    return [row for row in rows if row.name != "crowd" or scale.crowd]


if __name__ == "__main__":
    sys.exit(main())
