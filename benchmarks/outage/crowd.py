"""Some of the nodes of a trial, in one process: ``python -m benchmarks.outage.crowd`` obeys lines of JSON.

Node *i* publishes to room *i*, which node *i* and node *i* + 1 read: so each event is owed to one other node.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import time
from typing import Any

from benchmarks.outage.ledger import Ear, event
from socketio_cluster.manager.bus.messages import Emit
from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.options import Options
from socketio_cluster.manager.stats import Stats

TICK = 0.02


class Member:
    """One node with its ledger."""

    def __init__(self, at: int, of: int, url: str, rooms: int, options: dict[str, Any]) -> None:
        self.at = at
        self.emitted = 0
        self.stats = Stats()
        self.ear = Ear([at - 1 if at else of - 1])
        self.node = Node(Options(url=url, name=f"n{at}", **options), self.ear, self.stats)
        self._channel = self.node.channels.room("/", f"room{at}")
        before = self.node.channels.room("/", f"room{at - 1 if at else of - 1}")
        own = [self.node.channels.room("/", f"own-{at}-{number}") for number in range(rooms)]
        self._wanted = [self._channel, before, *own]

    async def start(self) -> None:
        """Take the rooms and go on the bus."""
        for channel in self._wanted:
            await self.node.subscribe(channel)
        await self.node.start(30)

    def emit(self, size: int) -> None:
        """Publish one event."""
        payload = event(self.at, self.emitted, size)
        self.node.post(Emit("/", [f"room{self.at}"], [], [payload], text=True), self._channel)
        self.emitted += 1

    def report(self) -> dict[str, Any]:
        """Say how far this node is, as sender and as reader."""
        stats = self.stats
        return {
            "at": self.at,
            "emitted": self.emitted,
            "tracks": {sender: vars(track) for sender, track in self.ear.tracks.items()},
            "ready": self.node.ready,
            "nodes": len(self.node.nodes),
            "stats": {
                **{
                    name: getattr(stats, name)
                    for name in ("gaps", "lost", "dropped", "repeats", "reconnects")
                },
                **{kind: stats.published[kind] for kind in ("Hello", "Beat", "Ask", "Answer")},
            },
        }


class Crowd:
    """The nodes of this process."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.members = [
            Member(at, order["of"], order["url"], order["rooms"], order["options"]) for at in order["members"]
        ]
        self._emitting: asyncio.Task[None] | None = None

    async def obey(self, order: dict[str, Any]) -> Any:
        """Carry out one order; returns the answer."""
        match order["do"]:
            case "start":
                for start in range(0, len(self.members), 20):
                    await asyncio.gather(*(member.start() for member in self.members[start : start + 20]))
                gc.freeze()  # as a worker of serve does
            case "emit":
                emitting = self._emit(order["count"], order["seconds"], order["size"])
                self._emitting = asyncio.create_task(emitting)
            case "report":
                reports = [member.report() for member in self.members]
                return {"cpu": time.process_time(), "members": reports}
            case "stop":
                await asyncio.gather(*(member.node.close() for member in self.members))
        return "done"

    async def _emit(self, count: int, seconds: float, size: int) -> None:
        """Publish ``count`` events per node, evenly over so many seconds."""
        start, done = time.monotonic(), 0
        while done < count:
            await asyncio.sleep(TICK)
            due = min(count, int((time.monotonic() - start) / seconds * count))
            for _ in range(due - done):
                for member in self.members:
                    member.emit(size)
            done = due


async def main() -> None:
    """Read orders from standard input and answer each with a line."""
    lines = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    crowd = Crowd(json.loads(await lines.readline()))
    while line := await lines.readline():
        print(json.dumps(await crowd.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main())
