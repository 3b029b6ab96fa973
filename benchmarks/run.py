"""Goes through the rows, in rounds, and tells how it goes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS
from benchmarks.errors import Failed, Missing
from benchmarks.load import run_load
from benchmarks.nodes import Nodes
from benchmarks.rows import Row
from benchmarks.scale import Scale
from tests.services.hub import HubServer
from tests.services.nats import NatsServer
from tests.services.rabbitmq import RabbitServer
from tests.services.redis import RedisServer

BUSES = {"redis": RedisServer, "amqp": RabbitServer, "nats": NatsServer, "local": HubServer}


@dataclass
class Outcome:
    """What one contender did in one row: figures by round, or why there are none."""

    row: str
    contender: str
    figures: list[dict[str, Any]] = field(default_factory=list)
    trouble: str = ""


class Run:
    """One run of the benchmark: a folder, the buses, the outcomes."""

    def __init__(self, rows: Sequence[Row], contenders: Sequence[str], scale: Scale) -> None:
        self.rows = rows
        self.scale = scale
        self.outcomes = {
            (row.name, name): Outcome(row.name, name)
            for row in rows
            for name in row.contenders
            if name in contenders
        }
        self._buses: dict[str, str] = {}

    def measure(self) -> None:
        """Measure everything; what fails is noted and does not stop the rest.

        Each round goes through all rows: the machine is not as fast at one time as at another, and rows are
        compared too.
        """
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
            for number in range(self.scale.rounds):
                for row in self.rows:
                    self._round(row, number, folder, stack)

    def _round(self, row: Row, number: int, folder: Path, stack: ExitStack) -> None:
        outcomes = self._turn(row, number)
        if not outcomes:
            return
        print(f"{row.name}: {row.title}, round {number + 1} of {self.scale.rounds}", flush=True)
        try:
            url = self._bus(row.bus, folder, stack)
        except RuntimeError as error:
            self._give_up(row, str(error))
            return
        if number == 0:
            self._prepare(row)
        for outcome in outcomes:
            if not outcome.trouble:
                self._measure(row, outcome, url, folder)

    def _bus(self, kind: str, folder: Path, stack: ExitStack) -> str:
        """The URL of a bus, which is started at its first use."""
        if kind not in self._buses:
            own = folder / kind
            own.mkdir()
            self._buses[kind] = stack.enter_context(BUSES[kind](own)).url
        return self._buses[kind]

    def _prepare(self, row: Row) -> None:
        for outcome in self._of(row):
            try:
                CONTENDERS[outcome.contender].prepare(row.bus)
            except (Missing, Failed) as error:
                outcome.trouble = str(error)
                print(f"  {outcome.contender}: {error}", flush=True)

    def _turn(self, row: Row, number: int) -> list[Outcome]:
        """Every second round goes backwards, so that nobody always follows the same one."""
        outcomes = [outcome for outcome in self._of(row) if not outcome.trouble]
        return outcomes[::-1] if number % 2 else outcomes

    def _of(self, row: Row) -> Iterator[Outcome]:
        return (outcome for (name, _), outcome in self.outcomes.items() if name == row.name)

    def _give_up(self, row: Row, why: str) -> None:
        for outcome in self._of(row):
            outcome.trouble = why
        print(f"{row.name}: {why}", flush=True)

    def _measure(self, row: Row, outcome: Outcome, url: str, folder: Path) -> None:
        options = {key: str(value) for key, value in row.load(self.scale).items()}
        try:
            with Nodes(CONTENDERS[outcome.contender], row.nodes, url, folder) as nodes:
                figures = run_load(nodes, row.targets, options, doomed=row.doomed)
        except Failed as error:
            outcome.trouble = str(error)
            print(f"  {outcome.contender}: {error}", flush=True)
            return
        outcome.figures.append(figures)
        told = (f"{metric.title} {metric.read(figures):,.{metric.digits}f}" for metric in row.metrics)
        print(f"  {outcome.contender:13} {', '.join(told)}{_losses(figures)}", flush=True)


def _losses(figures: dict[str, Any]) -> str:
    lost = figures["expected"] - figures["deliveries"]
    words = [f"{lost} lost"] if lost else []
    words += [f"{figures['gone']} clients disconnected"] if figures["gone"] else []
    return f" ({', '.join(words)})" if words else ""
