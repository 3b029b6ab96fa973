"""``python -m benchmarks.shards``: what the servers of a bus with one shard and with several have to do.

The crowd of ``benchmarks.outage`` publishes to its rooms as fast as it can. Measured are the events a second,
and the CPU time of the nodes and of each Redis for an event, from the first event until all were heard.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.outage.trial import Crew, Load
from tests.services.redis import RedisServer, RedisShards

NODES = 20
EVENTS = 12_000
"""Events of each node in a trial. Each is owed to one other node."""
PATIENCE = 120.0
HEAD = (
    "| shards | events/s | CPU of the nodes, an event | of all Redis servers | of the busiest one "
    "| cores for 100,000 events/s: nodes, busiest Redis |",
    "|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Found:
    """The result of a trial: all events, and times in seconds."""

    shards: int
    events: int
    seconds: float
    nodes_cpu: float
    servers_cpu: list[float]

    def row(self) -> str:
        """Give the line of the table. CPU times of an event are in microseconds."""
        nodes, busiest = self.nodes_cpu / self.events * 1e6, max(self.servers_cpu) / self.events * 1e6
        servers = sum(self.servers_cpu) / self.events * 1e6
        return (
            f"| {self.shards} | {self.events / self.seconds:,.0f} | {nodes:.0f} µs | {servers:.1f} µs "
            f"| {busiest:.1f} µs | {nodes / 10:.1f}, {busiest / 10:.2f} |"
        )


def run(shards: int, events: int, folder: Path) -> Found:
    """Publish so many events of each node to its room. Raises ``TimeoutError`` if some are not heard."""
    with RedisShards(folder / "redis", shards) as bus:
        crew = Crew(Load(NODES, 200), bus.url, 2, {"dead_after": 30.0}, folder / "nodes.log")
        try:
            crew.order("start")
            _until(lambda: all(member["nodes"] == NODES and member["ready"] for member in crew.report()[1]))
            before, servers = crew.report()[0], list(map(cpu, bus.servers))
            start = time.monotonic()
            crew.order("emit", count=events, seconds=0.1, size=200)
            _until(lambda: _heard(crew) == NODES * events)
            seconds = time.monotonic() - start
            after = crew.report()[0]
            used = [cpu(server) - then for server, then in zip(bus.servers, servers, strict=True)]
        finally:
            crew.end()
    return Found(shards, NODES * events, seconds, after - before, used)


def cpu(server: RedisServer) -> float:
    """Give the CPU seconds of a server so far."""
    text = server.ask("INFO", "cpu").decode()
    fields = dict(line.split(":") for line in text.splitlines() if line.startswith("used_cpu_"))
    return float(fields["used_cpu_user"]) + float(fields["used_cpu_sys"])


def _heard(crew: Crew) -> int:
    return sum(track["heard"] for member in crew.report()[1] for track in member["tracks"].values())


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shards", description=__doc__)
    parser.add_argument("--shards", nargs="+", type=int, default=[1, 4], help="numbers of shards")
    parser.add_argument("--events", type=int, default=EVENTS, help="events of each node")
    choice = parser.parse_args()
    print("\n".join(HEAD), flush=True)
    for shards in choice.shards:
        with tempfile.TemporaryDirectory() as folder:
            print(run(shards, choice.events, Path(folder)).row(), flush=True)
    print(", ".join(describe().values()), f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
