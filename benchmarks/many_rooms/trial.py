"""One trial: a node takes rooms, loses its bus, takes them again, and gives them up."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from benchmarks.errors import Failed
from socketio_cluster.manager.bus.messages import Emit, Message
from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.options import Options
from socketio_cluster.manager.stats import Stats

TASKS: Final = 500
"""So many clients join at the same time, each one room after the other."""
AWAY: Final = 2.0
"""Seconds without the bus."""
LOOK: Final = 0.005
"""Seconds between two looks."""
EVERY: Final = 100
"""One of so many rooms is tried with an event."""
PATIENCE: Final = 60.0


class Server(Protocol):
    """A bus that may be killed; ``tests.services`` has them."""

    url: str
    port: int

    def stop(self) -> None:
        """Kill it."""

    def start(self) -> None:
        """Start it again; blocks until it answers."""


@dataclass
class Outcome:
    """What a trial found; times in seconds."""

    rooms: int
    joins: float = 0.0
    """A second, each confirmed by the bus."""
    leaves: float = 0.0
    """A second, until the bus has confirmed the last."""
    back: float = 0.0
    """From the moment in which the bus accepted connections until all rooms were taken again."""
    stall: float = 0.0
    """The longest time for which the loop was busy, from the bus's end until all rooms were taken again."""
    stall_joining: float = 0.0
    """The same while clients joined."""


class Ear:
    """Counts the events of the other node: ``socketio_cluster.manager.bus.node_listener.Hears``."""

    client_count = 0

    def __init__(self) -> None:
        self.rooms: set[str] = set()

    def heard(self, origin: str, message: Message) -> None:
        """Note the room of an event."""
        assert isinstance(message, Emit)
        self.rooms.add(str((message.rooms or [""])[0]))

    def node_here(self, node: str) -> None:
        """Nobody waits for it."""

    def node_gone(self, node: str, *, died: bool) -> None:
        """Nobody waits for it."""


class Stall:
    """Measures for how long the event loop was busy at most, in its thread's processor time.

    That is the time between two looks, in which there may have been several turns of the loop.
    """

    longest = 0.0

    async def watch(self) -> None:
        """Look until this is cancelled."""
        last = time.thread_time()
        while True:
            await asyncio.sleep(LOOK)
            now = time.thread_time()
            self.longest, last = max(self.longest, now - last), now


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Stall]:
    """Measure meanwhile."""
    stall = Stall()
    watching = asyncio.create_task(stall.watch())
    try:
        yield stall
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def run(server: Server, rooms: int) -> Outcome:
    """Run a trial on a running bus."""
    outcome, ear = Outcome(rooms), Ear()
    node, other = (Node(Options(url=server.url), one, Stats()) for one in (ear, Ear()))
    try:
        await node.start(30)
        await other.start(30)
        names = [f"room{number}" for number in range(rooms)]
        async with watched() as stall:
            start = time.monotonic()
            await asyncio.gather(*(_join(node, names[at::TASKS]) for at in range(TASKS)))
            outcome.joins = rooms / (time.monotonic() - start)
        outcome.stall_joining = stall.longest
        async with watched() as stall:
            outcome.back = await _restart(server, node)
        outcome.stall = stall.longest
        await _until(lambda: other.ready, "the other node is back")
        await _try(node, other, ear, names[::EVERY])
        start = time.monotonic()
        for name in names:
            node.unsubscribe(node.channels.room("/", name))
            if not len(node.interest.wanted) % TASKS:
                await asyncio.sleep(0)
        await _until(lambda: node.interest.taken == node.interest.wanted, "all rooms are given up")
        outcome.leaves = rooms / (time.monotonic() - start)
    finally:
        await asyncio.gather(node.close(), other.close())
    return outcome


async def _join(node: Node, names: list[str]) -> None:
    for name in names:
        await node.subscribe(node.channels.room("/", name))


async def _restart(server: Server, node: Node) -> float:
    """Kill the bus and start it again; returns the seconds until all rooms were taken again."""
    await asyncio.to_thread(server.stop)
    await _until(lambda: not node.ready, "the bus is missed")
    await asyncio.sleep(AWAY)
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    accepting = asyncio.create_task(_accepts(server.port))
    await _until(lambda: node.ready, "the node is back")
    ready = time.monotonic()
    await starting
    return ready - await accepting


async def _accepts(port: int) -> float:
    """Return the time at which the port first accepted a connection."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return time.monotonic()
        await asyncio.sleep(LOOK)


async def _try(node: Node, other: Node, ear: Ear, names: list[str]) -> None:
    """Let the other node say something in some rooms, and wait until all of it was heard."""
    for name in names:
        other.post(Emit("/", [name], [], [b"2[]"], text=True), node.channels.room("/", name))
    await _until(lambda: ear.rooms == set(names), "every room that was tried has been heard")


async def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise Failed(f"not within {PATIENCE:g} s: {what}")
        await asyncio.sleep(LOOK)
