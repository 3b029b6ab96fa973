"""``python -m benchmarks.many_rooms`` runs a trial on each bus and writes the table to ``docs/scale.md``."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.many_rooms.trial import Outcome, run
from benchmarks.scale_page import write
from tests.services.nats import NatsServer
from tests.services.rabbitmq import RabbitServer
from tests.services.redis import RedisServer

SERVERS = {"Redis": RedisServer, "RabbitMQ": RabbitServer, "NATS": NatsServer}
HEAD = (
    "| bus | joins | leaves | all taken again after | longest pause meanwhile | while joining |",
    "|---|---|---|---|---|---|",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_rooms", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SERVERS, default=list(SERVERS), help="some of the buses")
    parser.add_argument("--rooms", type=int, default=50_000, help="rooms of the node (default: 50,000)")
    parser.add_argument("--print", action="store_true", help="do not write docs/scale.md")
    choice = parser.parse_args()
    rows = list(HEAD)
    for name in choice.only:
        with tempfile.TemporaryDirectory() as folder, SERVERS[name](Path(folder)) as server:
            rows.append(row(name, asyncio.run(run(server, choice.rooms))))
        print(rows[-1], flush=True)
    if not choice.print:
        write("rooms", rows, describe())


def row(name: str, found: Outcome) -> str:
    """Give a line of the table."""
    pauses = f"{found.stall * 1000:.0f} ms | {found.stall_joining * 1000:.0f} ms"
    return f"| {name} | {found.joins:,.0f}/s | {found.leaves:,.0f}/s | {found.back:.1f} s | {pauses} |"


if __name__ == "__main__":
    main()
