"""Polling clients that chat in rooms, each request of each at the next node: python -m tests.forward.soak.

Prints what went wrong (nothing should) and what a passed-on request costs next to a direct one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.forward.nodes import Nodes, one_machine
from tests.forward.poller import Poller

ROOM = 5
"""Clients in a room."""
PAUSE = 5.0
"""Seconds between two things that a client says."""
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Report:
    """What happened; a message counts once for each client that should have got it."""

    said: int = 0
    received: int = 0
    lost: int = 0
    duplicated: int = 0
    requests: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.errors)

    def __str__(self) -> str:
        numbers = f"{self.requests} requests, {self.said} said, {self.received} received, {self.lost} lost"
        first = "".join(f"\n  {error}" for error in self.errors[:5])
        return f"{numbers}, {self.duplicated} duplicated, {len(self.errors)} errors{first}"


class Chatter:
    """A client in a room."""

    def __init__(self, number: int, poller: Poller, report: Report) -> None:
        self.number = number
        self.room = f"room {number // ROOM}"
        self.said = 0
        self.heard: Counter[str] = Counter()
        self._poller = poller
        self._report = report

    async def enter(self) -> None:
        await self._poller.open()
        await self._poller.call("join", self.room)

    async def listen(self) -> None:
        while True:
            name, [_, text] = await self._poller.event()
            assert name == "said"
            self.heard[text] += 1

    async def talk(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        await asyncio.sleep(random.uniform(0, PAUSE))
        while time.monotonic() < until:
            await self._poller.emit("say", self.room, f"{self.number}:{self.said}")
            self.said += 1
            await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE)

    async def noting(self, work) -> None:
        """Run it; an error goes into the report."""
        try:
            await work
        except Exception as error:
            self._report.errors.append(f"client {self.number}: {error!r}")


async def chat(urls: list[str], clients: int, seconds: float) -> Report:
    """Let so many clients chat for so long, then wait until all has come, at most 10 seconds."""
    report = Report()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        turns = [urls[at % len(urls) :] + urls[: at % len(urls)] for at in range(clients)]
        pollers = [Poller(http, turn) for turn in turns]
        everyone = [Chatter(number, poller, report) for number, poller in enumerate(pollers)]
        for start in range(0, clients, 50):
            await asyncio.gather(*(one.noting(one.enter()) for one in everyone[start : start + 50]))
        listening = [asyncio.create_task(one.noting(one.listen())) for one in everyone]
        await asyncio.gather(*(one.noting(one.talk(seconds)) for one in everyone))
        for _ in range(100):
            settle(report, everyone)
            if not report.lost:
                break
            await asyncio.sleep(0.1)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    report.requests = sum(poller.requests for poller in pollers)
    return report


def settle(report: Report, everyone: list[Chatter]) -> None:
    """Count what each client should have heard and has."""
    report.said = report.received = report.lost = report.duplicated = 0
    for one in everyone:
        room = everyone[one.number // ROOM * ROOM :][:ROOM]
        due = {f"{speaker.number}:{at}" for speaker in room for at in range(speaker.said)}
        report.said += one.said
        report.received += sum(one.heard.values())
        report.lost += len(due - set(one.heard))
        report.duplicated += sum(count - 1 for count in one.heard.values()) + len(set(one.heard) - due)


def cpu(nodes: Nodes) -> float:
    """Seconds of processor time that the nodes have used."""
    stats = [Path(f"/proc/{worker.pid}/stat").read_text() for worker in nodes.workers]
    fields = [stat.rpartition(")")[2].split() for stat in stats]  # the name before may hold anything
    return sum(int(each[11]) + int(each[12]) for each in fields) / TICK


async def cost(nodes: Nodes, *, direct: bool, clients: int = 20, rounds: int = 200) -> tuple[float, float]:
    """Microseconds of processor time, of all nodes together, and milliseconds of waiting for one request.

    Half of the requests are POSTs, half polls that find something to bring.
    """
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        pollers = [await Poller(http, [nodes.urls[at % len(nodes.urls)]]).open() for at in range(clients)]
        for poller in pollers:
            ways = [nodes.owner(poller.sid)] if direct else nodes.others(poller.sid)
            poller.go_by([worker.url for worker in ways])

        async def run(poller: Poller, count: int) -> None:
            for number in range(count):
                await poller.emit("back", number)
                assert (await poller.event())[1] == number

        await asyncio.gather(*(run(poller, 20) for poller in pollers))  # connections are made
        began, used = time.perf_counter(), cpu(nodes)
        await asyncio.gather(*(run(poller, rounds) for poller in pollers))
        requests = 2 * rounds * clients
        used, took = cpu(nodes) - used, time.perf_counter() - began
    return used / requests * 1e6, took / requests * clients * 1e3


async def measure(clients: int, seconds: float, nodes: Nodes) -> Report:
    for _ in range(2):
        for name in ("direct", "passed on"):
            micros, millis = await cost(nodes, direct=name == "direct")
            print(f"{name:>10}: {micros:5.0f} µs of CPU and {millis:.1f} ms a request")
    report = await chat(nodes.urls, clients, seconds)
    print(report)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.forward.soak", description=__doc__)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with one_machine("--log-level=info") as nodes:
        report = asyncio.run(measure(options.clients, options.seconds, nodes))
    return 0 if report.clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
