"""What ``socketio_cluster.AsyncServer`` costs per event beside python-socketio's class.

``python -m benchmarks.middleware`` prints it. An event with an ack goes through a lane, from the bytes of
the client to the bytes of the ack, in this process and without a network: in a real node the kernel's part
comes on top, and the share is smaller.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any, Final

import socketio
from engineio.async_socket import AsyncSocket

import socketio_cluster
from socketio_cluster import ClusterManager
from socketio_cluster.cluster.lane.connection import Lane
from socketio_cluster.cluster.lane.install import Lanes
from socketio_cluster.cluster.metrics.watch import Watching
from socketio_cluster.cluster.stack import Stack

EVENTS: Final = 2000
"""Events of a measurement, in batches of as many as arrive together on a busy node."""
BATCH: Final = 20
ROUNDS: Final = 40
PAYLOAD: Final = "x" * 128


class Wire:
    """A transport that counts the acks written to it."""

    def __init__(self) -> None:
        self.acks = 0

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self.acks += data.count(b"43")

    def is_closing(self) -> bool:
        """Stay open."""
        return False

    def pause_reading(self) -> None:
        """Nothing is read."""

    resume_reading = pause_reading


class Subject:
    """A server of one client."""

    def __init__(self, kind: type[Any], lanes: Lanes, middlewares: int = 0) -> None:
        self.wire = Wire()
        manager = ClusterManager()
        sio = kind(async_mode="asgi", client_manager=manager)
        sio.on("echo", echo)
        for _ in range(middlewares):
            sio.middleware(passing)
        Stack([Watching(), lanes]).install([manager])
        socket = AsyncSocket(sio.eio, "client")
        sio.eio.sockets["client"], sio.environ["client"] = socket, {}
        hooks = manager.host.layers["lane"]
        self.lane = Lane(self.wire, set(), socket, hooks)  # type: ignore[arg-type]
        hooks.switch(self.lane)

    async def run(self, events: int) -> float:
        """Send events and wait for their acks; returns CPU µs per event."""
        self.wire.acks, sent = 0, 0
        began = time.process_time()
        while sent < events:
            for _ in range(BATCH):
                self.lane.handle(f'42{sent}["echo","{PAYLOAD}"]')
                sent += 1
            while self.wire.acks < sent:  # noqa: ASYNC110 - an event would cost something too
                await asyncio.sleep(0)
        return (time.process_time() - began) / events * 1e6


async def echo(sid: str, data: str) -> str:
    """Answer the same."""
    return data


async def passing(sid: str, event: str, args: list[Any]) -> None:
    """Let everything pass."""


async def main(rounds: int = ROUNDS) -> None:
    """Measure in turns, and print the medians."""
    lanes = Lanes()
    subjects = {
        "socketio.AsyncServer": Subject(socketio.AsyncServer, lanes),
        "socketio_cluster.AsyncServer": Subject(socketio_cluster.AsyncServer, lanes),
        "with one middleware": Subject(socketio_cluster.AsyncServer, lanes, 1),
    }
    for subject in subjects.values():
        subject.lane.handle("40")
        await asyncio.sleep(0.1)
    costs: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds):
        for name, subject in list(subjects.items())[:: 1 if number % 2 else -1]:
            costs[name].append(await subject.run(EVENTS))
    stock = statistics.median(costs["socketio.AsyncServer"])
    for name, measured in costs.items():
        ours = statistics.median(measured)
        print(f"{name:30}{ours:7.2f} µs per event{ours / stock - 1:+8.1%}")


if __name__ == "__main__":
    asyncio.run(main())
