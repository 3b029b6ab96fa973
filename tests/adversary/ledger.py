"""An exact ledger under random faults: ``python -m tests.adversary.ledger --seconds 3600``.

Three nodes emit numbered events to everybody and to a room, while connections are cut, the bus and nodes are
frozen, killed and started again. Every client must get every event once, in order and whole: of a node that
lives all, of one that was killed all up to some event. The exit status is 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
import uuid
from pathlib import Path

import socketio

from tests.adversary.book import Book
from tests.adversary.faults import Faults
from tests.adversary.ledger_node import body
from tests.adversary.wire import Wire
from tests.harness import eventually
from tests.services.hub import HubServer
from tests.services.rabbitmq import RabbitServer
from tests.services.redis import RedisServer

BUSES = {"local": HubServer, "redis": RedisServer, "rabbitmq": RabbitServer}
CLIENTS = 2
"""Clients of each node."""
SETTLE_SECONDS = 90


class NodeProcess:
    """A node in a process of its own, its wire to the bus, and its clients."""

    def __init__(self, name, bus_url, prefix, seed, book):
        self.name = name
        self.wire = Wire(bus_url)
        self._arguments = (prefix, str(seed))
        self._book = book
        self._clients = []

    async def start(self):
        """Start it, and connect its clients."""
        await self.wire.__aenter__()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.adversary.ledger_node", self.wire.url, *self._arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._url = (await self._line())["url"]
        for number in range(CLIENTS):
            await self._connect(f"{self.name}/{number}")

    async def _line(self):
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), SETTLE_SECONDS))

    async def _connect(self, name):
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        account = self._book.open(name, self.name)

        def item(origin, kind, number, length, data):
            if data != body(number, length):
                account.faults.append(f"client {name}: event {number} of {origin} {kind} is damaged")
            self._book.got(account, f"{origin} {kind}", number)

        client.on("item", item)
        client.on("disconnect", account.cut_off)
        await client.connect(self._url, transports=["websocket"], wait_timeout=30)
        await client.call("join", timeout=30)
        self._clients.append((client, account))

    def say(self):
        """Let it begin, or stop, emitting."""
        self._process.stdin.write(b"\n")

    async def emitted(self):
        """Let it stop emitting; returns how many events each of its streams has."""
        self.say()
        return await self._line()

    def pause(self):
        """Stop it in its tracks."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    async def kill(self):
        """End it without a goodbye; its clients are lost with it."""
        self._close_accounts()
        self._process.kill()
        await self._process.wait()
        await self._leave()

    async def stop(self):
        """End it in good form."""
        self._close_accounts()
        await self._leave()
        if self._process.returncode is None:
            self._process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 15)
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _close_accounts(self):
        for _, account in self._clients:
            account.open = False

    async def _leave(self):
        for client, _ in self._clients:
            with contextlib.suppress(Exception):
                await client.disconnect()
        await self.wire.__aexit__()


class Run:
    """Three nodes on one bus, and the book of what their clients get."""

    def __init__(self, bus, seed):
        self.bus = bus
        self.book = Book()
        self.nodes = []
        self.dice = random.Random(seed)
        self._prefix = uuid.uuid4().hex[:8]
        self._made = 0

    def _make(self):
        self._made += 1
        seed = self.dice.randrange(1 << 30)
        return NodeProcess(f"node {self._made}", self.bus.url, self._prefix, seed, self.book)

    async def replace(self, node):
        """Kill a node, and start another one in its place."""
        await node.kill()
        self.nodes.remove(node)
        other = self._make()
        await other.start()
        self.nodes.append(other)
        other.say()

    async def work(self, seconds):
        """Let faults happen for so long, then wait until everybody has everything; returns their number."""
        for _ in range(3):
            self.nodes.append(self._make())
        await asyncio.gather(*(node.start() for node in self.nodes))
        for node in self.nodes:
            node.say()
        faults, end = Faults(self, self.dice), time.monotonic() + seconds
        while time.monotonic() < end and not self._unexpected():
            await faults.one()
        for node in self.nodes:
            self.book.emitted |= await node.emitted()
        with contextlib.suppress(AssertionError):  # what is missing is said by the book
            await eventually(lambda: not self.book.missing(), SETTLE_SECONDS)
        return faults.done

    def _unexpected(self):
        return [account.name for account in self.book.accounts if account.faults]

    async def close(self):
        """End all nodes."""
        await asyncio.gather(*(node.stop() for node in self.nodes))


async def run(bus, seed, seconds):
    """Run once; returns what is wrong, as texts."""
    with tempfile.TemporaryDirectory() as folder, BUSES[bus](Path(folder)) as server:
        one = Run(server, seed)
        try:
            faults = await one.work(seconds)
            wrong = one.book.faults()
            print(
                f"{bus}, seed {seed}: {one.book.deliveries} deliveries, {faults} faults, {len(wrong)} wrong"
            )
            return wrong
        finally:
            await one.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--bus", choices=BUSES, action="append", help="one or several; all unless given")
    given = parser.parse_args()
    buses = given.bus or list(BUSES)
    wrong = []
    for bus in buses:
        wrong += asyncio.run(run(bus, given.seed, given.seconds / len(buses)))
    print("\n".join(wrong) or "the ledger is exact")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
