"""``python -m benchmarks.outage`` runs the trials and writes their table to ``docs/scale.md``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.outage.table import rows
from benchmarks.outage.trial import Load, Outcome, run
from benchmarks.scale_page import write

LOADS = {
    "20": Load(20, 200, rate=50),
    "60": Load(60, 200, rate=50),
    "100": Load(100, 200, rate=20),
    "busy": Load(40, 2000, rate=200),
    "idle": Load(300, 200, rooms=200, before=20, during=20),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outage", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=LOADS, default=list(LOADS), help="some of the loads")
    parser.add_argument("--faults", nargs="+", choices=["kill", "freeze"], default=["kill", "freeze"])
    parser.add_argument("--seconds", type=float, default=2, help="how long the bus is away (default: 2)")
    parser.add_argument(
        "--patience", type=float, default=90, help="how long to wait for the end (default: 90)"
    )
    parser.add_argument("--processes", type=int, default=2, help="processes that hold the nodes (default: 2)")
    parser.add_argument("--print", action="store_true", help="do not write docs/scale.md")
    parser.add_argument("--log", type=Path, help="a folder that keeps what nodes and Redis have logged")
    choice = parser.parse_args()
    outcomes: list[Outcome] = []
    for name in choice.only:
        for fault in choice.faults:
            with tempfile.TemporaryDirectory() as folder:
                place = choice.log or Path(folder)
                outcome = run(
                    LOADS[name], fault, choice.seconds, choice.patience, choice.processes, {}, place
                )
            outcomes.append(outcome)
            print("\n".join(rows([outcome])[-1:]), outcome.counts, flush=True)
    if not choice.print:
        write("measured", rows(outcomes), describe())


if __name__ == "__main__":
    main()
