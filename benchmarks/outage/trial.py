"""One trial: so many nodes under a load, a bus that fails, and the time until all is as it was."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.build import HERE
from benchmarks.errors import Failed
from tests.services.redis import RedisServer

LOOK = 0.25
"""Seconds between two looks at the nodes."""
QUIET = 4.0
"""Seconds of load before the fault: two heartbeats."""
AGO = 0.5
"""A node that has heard all that was published so many seconds ago is up to date."""


@dataclass(frozen=True)
class Load:
    """What the nodes do: ``rate`` events a second each, or ``before`` and ``during`` the fault that many."""

    nodes: int
    size: int
    rate: int = 0
    rooms: int = 0
    before: int = 0
    during: int = 0

    @property
    def title(self) -> str:
        """The load in words."""
        if self.rate:
            return f"{self.nodes} nodes, {self.rate}/s each, {self.size} B"
        return f"{self.nodes} idle, {self.rooms} rooms each, {self.before} + {self.during} events each"


@dataclass
class Outcome:
    """What a trial found; times in seconds, sizes in bytes."""

    load: Load
    fault: str
    caught_up: float | None = None
    """From the bus's return; None: not within the patience."""
    back: float | None = None
    """From the bus's return until the last node was on it again."""
    calm_rate: float = 0.0
    """Bytes a second from Redis before the fault."""
    calm_cpu: float = 0.0
    """Share of a core of all nodes together before the fault."""
    sent: int = 0
    """Bytes from Redis from its return until all had caught up."""
    cpu: float = 0.0
    """CPU seconds of all nodes meanwhile."""
    due: int = 0
    lost: int = 0
    wrong: int = 0
    span: float = 0.0
    """Seconds whose events went over the bus in ``sent``: of the fault, and until all had caught up."""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """How many times the bytes that would have been sent without the fault."""
        return self.sent / (self.calm_rate * self.span) if self.calm_rate * self.span else 0.0


class Crew:
    """The processes that hold the nodes."""

    def __init__(self, load: Load, url: str, processes: int, options: dict[str, Any], log: Path) -> None:
        self._children = []
        with log.open("ab") as errors:
            for part in range(processes):
                child = subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.outage.crowd"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=HERE.parent,
                    text=True,
                )
                self._children.append(child)
                members = list(range(part, load.nodes, processes))
                self._say(child, members=members, of=load.nodes, url=url, rooms=load.rooms, options=options)

    def order(self, do: str, **details: Any) -> list[Any]:
        """Give all processes an order; returns their answers."""
        for child in self._children:
            self._say(child, do=do, **details)
        return [json.loads(child.stdout.readline()) for child in self._children if child.stdout]

    def report(self) -> tuple[float, list[dict[str, Any]]]:
        """CPU seconds of all processes so far, and what each node says."""
        answers = self.order("report")
        members = [member for answer in answers for member in answer["members"]]
        return sum(answer["cpu"] for answer in answers), sorted(members, key=lambda member: member["at"])

    def end(self) -> None:
        """End the processes."""
        for child in self._children:
            with child:  # closes its pipes too
                child.kill()

    def _say(self, child: subprocess.Popen[str], **order: Any) -> None:
        assert child.stdin is not None
        child.stdin.write(json.dumps(order) + "\n")
        child.stdin.flush()


def run(
    load: Load,
    fault: str,
    seconds: float,
    patience: float,
    processes: int,
    options: dict[str, Any],
    folder: Path,
) -> Outcome:
    """Run a trial: ``kill`` and start again, or ``freeze``, for so many seconds."""
    outcome = Outcome(load, fault)
    with RedisServer(folder / "redis") as server:
        crew = Crew(load, server.url, processes, options, folder / "nodes.log")
        try:
            crew.order("start")
            _settle(crew, load.nodes)
            _calm(crew, load, server, outcome)
            _fail(crew, load, server, fault, seconds)
            _watch(crew, server, outcome, seconds, patience)
        finally:
            crew.end()
    return outcome


def _settle(crew: Crew, nodes: int) -> None:
    """Wait until everybody knows everybody."""
    _until(lambda: all(member["nodes"] == nodes for member in crew.report()[1]), 120, "all nodes are there")


def _calm(crew: Crew, load: Load, server: RedisServer, outcome: Outcome) -> None:
    if load.before:
        crew.order("emit", count=load.before, seconds=QUIET / 2, size=load.size)
    else:
        crew.order("emit", count=load.rate * 3600, seconds=3600.0, size=load.size)
    time.sleep(1)
    cpu, sent = crew.report()[0], _sent(server)
    time.sleep(QUIET - 1)
    outcome.calm_rate = (_sent(server) - sent) / (QUIET - 1)
    outcome.calm_cpu = (crew.report()[0] - cpu) / (QUIET - 1)


def _fail(crew: Crew, load: Load, server: RedisServer, fault: str, seconds: float) -> None:
    (server.stop if fault == "kill" else server.pause)()
    if load.during:
        crew.order("emit", count=load.during, seconds=seconds / 2, size=load.size)
    time.sleep(seconds)
    (server.start if fault == "kill" else server.resume)()


def _watch(crew: Crew, server: RedisServer, outcome: Outcome, seconds: float, patience: float) -> None:
    """Look until everybody has heard what was published half a second ago."""
    start = time.monotonic()
    base = 0 if outcome.fault == "kill" else _sent(server)
    cpu, members = crew.report()
    history = [(start, cpu, members)]
    while (now := time.monotonic()) - start < patience:
        time.sleep(LOOK)
        cpu, members = crew.report()
        history.append((time.monotonic(), cpu, members))
        if outcome.back is None and all(member["ready"] for member in members):
            outcome.back = now - start
        before = next((old for at, _, old in reversed(history) if at <= history[-1][0] - AGO), None)
        if outcome.back is not None and before is not None and _has_all(members, before):
            outcome.caught_up = max(outcome.back, history[-1][0] - AGO - start)
            break
    _count(outcome, members)
    outcome.sent = _sent(server) - base
    outcome.cpu = cpu - history[0][1]
    outcome.span = seconds + time.monotonic() - start


def _has_all(members: list[dict[str, Any]], before: list[dict[str, Any]]) -> bool:
    return all(
        track["next"] >= before[int(sender)]["emitted"]
        for member in members
        for sender, track in member["tracks"].items()
    )


def _count(outcome: Outcome, members: list[dict[str, Any]]) -> None:
    for member in members:
        for track in member["tracks"].values():
            outcome.due += track["next"]
            outcome.lost += track["next"] - track["heard"]
            outcome.wrong += track["wrong"]
        for name, value in member["stats"].items():
            outcome.counts[name] = outcome.counts.get(name, 0) + value
    if outcome.caught_up is None:
        outcome.due = sum(member["emitted"] for member in members)
        heard = sum(track["heard"] for member in members for track in member["tracks"].values())
        outcome.lost = outcome.due - heard


def _sent(server: RedisServer) -> int:
    reply = server.ask("INFO", "stats").decode()
    return int(reply.partition("total_net_output_bytes:")[2].split()[0])


def _until(done: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds:g} s: {what}")
        time.sleep(LOOK)
