"""The command: start each server, load it, print and write the table."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from socketio_cluster.loadtest.compare.contenders import CONTENDERS, Contender
from socketio_cluster.loadtest.compare.errors import Trouble
from socketio_cluster.loadtest.compare.nodes import Nodes, redis
from socketio_cluster.loadtest.compare.table import Row, table


@dataclass
class Comparison:
    """What is asked for: the scenario and its options, the servers, the bus."""

    scenario: str
    options: list[str]
    contenders: list[Contender]
    nodes: int
    bus: str
    folder: Path
    rows: list[Row] = field(default_factory=list)

    def measure(self) -> None:
        """Load one server after the other; one that fails is noted and does not stop the rest."""
        for contender in self.contenders:
            print(f"\n== {contender.title}", flush=True)
            try:
                self.rows.append(self._measure(contender))
            except Trouble as trouble:
                print(f"{contender.name}: {trouble}", file=sys.stderr, flush=True)
                self.rows.append(Row(contender.title, trouble=str(trouble).splitlines()[0]))

    def _measure(self, contender: Contender) -> Row:
        if urlsplit(self.bus).scheme not in contender.buses:
            raise Trouble(f"it has no bus for {self.bus}, only {', '.join(contender.buses)}")
        contender.prepare(self.bus)
        with Nodes(contender, self.nodes, self.bus, self.folder) as nodes:
            before, _ = nodes.used()
            run = self._load(nodes, self.folder / f"{contender.name}.json")
            after, memory = nodes.used()
        return Row(contender.title, run, cpu_seconds=after - before, memory=memory)

    def _load(self, nodes: Nodes, result: Path) -> dict[str, Any]:
        hosts = [word for url in nodes.urls for word in ("--host", url)]
        command = [sys.executable, "-m", "socketio_cluster.loadtest", self.scenario, *hosts, *self.options]
        done = subprocess.run([*command, "--json", str(result)], check=False)  # noqa: S603
        if not result.exists():
            raise Trouble(f"the load ended with code {done.returncode}\n{nodes.words()}".strip())
        run: dict[str, Any] = json.loads(result.read_text())
        return run


def main(argv: list[str]) -> int:
    """Compare as the arguments say; gives 1 when a server could not be measured, 2 for a mistake, else 0."""
    parser = _parser()
    if not argv or (argv[0].startswith("-") and not {"-h", "--help"} & set(argv)):
        parser.error("name a scenario first: python -m socketio_cluster.loadtest compare room -u 100 -t 10s")
    given, options = parser.parse_known_args(argv)
    from socketio_cluster.loadtest.scenarios import SCENARIOS  # not earlier: Locust takes its time

    if given.scenario not in SCENARIOS:
        parser.error(f"there is no scenario {given.scenario!r}: choose one of {', '.join(SCENARIOS)}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loadtest-compare-")))
        try:
            bus = given.bus or stack.enter_context(redis())
        except Trouble as trouble:
            print(f"loadtest compare: {trouble}", file=sys.stderr)
            return 2
        contenders = [CONTENDERS[name] for name in given.against]
        comparison = Comparison(given.scenario, options, contenders, given.nodes, bus, folder)
        comparison.measure()
    words = table(f"{given.scenario} {' '.join(options)}".strip(), given.nodes, comparison.rows)
    print(f"\n{words}")
    if given.output:
        given.output.write_text(words + "\n")
    return 1 if any(row.trouble for row in comparison.rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m socketio_cluster.loadtest compare",
        description="Puts the same load on several Socket.IO servers, one after the other. "
        "Options that are not listed here are the scenario's.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("scenario", help="a scenario of python -m socketio_cluster.loadtest; the first argument")
    add("--against", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS), metavar="NAME",
        help=f"only these of {', '.join(CONTENDERS)}")  # fmt: skip
    add("--nodes", type=_count, default=2, help="how many nodes of each (default: 2)")
    add("--bus", metavar="URL", help="redis:// or amqp:// (default: a redis-server of our own)")
    add("--output", type=Path, metavar="FILE", help="write the table there, too (Markdown)")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of nodes: give 1 or more")
    return int(text)
