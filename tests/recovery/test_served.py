"""Under ``serve``: clients miss nothing when their worker is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from types import SimpleNamespace

import pytest

from tests.cluster.command import Command
from tests.cluster.watched import TRANSPORTS
from tests.harness import SECONDS
from tests.recovery.clients import SOON, came_back, take
from tests.recovery.door import Door

APP = "tests.recovery.app:app"


@pytest.fixture
def served(serving):
    """Three workers with recovery, by the URL of each one's own port."""
    with Command("serve", APP, *serving) as command:
        nodes = [SimpleNamespace(url=urls[-1]) for _, urls in sorted(command.nodes(3).items())]
        yield SimpleNamespace(command=command, nodes=nodes)


async def test_a_killed_worker(served, driver):
    """After SIGKILL of its worker a client is recovered, also one halfway through its upgrade."""
    first, second, _ = served.nodes
    async with contextlib.AsyncExitStack() as stack:
        doors = [Door(first), Door(first), Door(first, upgrades=asyncio.Event())]
        clients = []
        for door, transports in zip(doors, TRANSPORTS, strict=True):
            await stack.enter_async_context(door)
            made = driver.client(door, transports=transports, reconnection=True, **SOON)
            clients.append(await stack.enter_async_context(made))
        teller = await stack.enter_async_context(driver.client(second))
        sids = [client.sid for client in clients]
        pids = {(await client.call("join", "red"))[0] for client in clients}
        for client in clients:
            await client.call("remember", {"sid": client.sid})
        await teller.call("tell", "red", 1)
        for client in clients:
            await take(client, "told", 1)
        doors[2].upgrades.set()
        await asyncio.wait_for(doors[2].upgrading.wait(), SECONDS)
        os.kill(pids.pop(), signal.SIGKILL)
        assert not pids
        for door in doors:
            door.cut()
        for number in range(2, 102):
            await teller.call("tell", "red", number)
        doors[2].upgrades = None
        for door in doors:
            door.lead(second)
        for client, sid in zip(clients, sids, strict=True):
            assert [await came_back(client) for _ in range(2)] == [False, True]
            assert client.sid == sid
            for number in range(2, 102):
                await take(client, "told", number)
            assert await client.call("recall") == [[{"sid": sid}, sorted(["red", sid]), True]]
        await teller.call("tell", "red", 102)
        for client in clients:
            await take(client, "told", 102)
            assert client.events.empty()


async def test_taken_out_of_a_room_before_its_worker_is_killed(served, driver):
    """What was emitted to a room before that reaches a client whose cable was cut, and nothing later."""
    first, second, _ = served.nodes
    async with (
        Door(first) as door,
        driver.client(door, reconnection=True) as client,
        driver.client(second) as other,
    ):
        sid = client.sid
        assert await client.connects.get() is False
        (pid,) = await client.call("join", "red")
        door.forsake(None)
        await other.call("tell", "red", 1)
        await other.call("take_out", sid, "red")
        await other.call("tell", "red", 2)
        os.kill(pid, signal.SIGKILL)
        door.lead(second)
        assert await asyncio.wait_for(client.connects.get(), SECONDS) is True
        assert client.sid == sid
        assert (await client.next("told"))[0] == 1
        await other.call("tell", sid, 3)
        assert (await client.next("told"))[0] == 3


async def test_all_workers_are_replaced(served, driver):
    """While all workers are replaced, one after the other, clients miss nothing and keep their sids."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(driver.client(node, reconnection=True, **SOON))
            for node in served.nodes
        ]
        sids = [client.sid for client in clients]
        for client in clients:
            await client.call("join", "red")
        teller = await stack.enter_async_context(driver.client(served.nodes[0], reconnection=True, **SOON))
        served.command.process.send_signal(signal.SIGHUP)
        number = 0
        while any(client.connects.qsize() < 2 for client in clients):
            number += 1
            await teller.emit("tell", "red", number)
            await asyncio.sleep(0.01)
        told = 0
        for client in clients:
            assert [await client.connects.get() for _ in range(2)] == [False, True]
        await teller.call("tell", "red", -1)
        for client in clients:
            numbers = []
            while -1 not in numbers:
                numbers.append((await client.next("told"))[0])
            assert len(numbers) == len(set(numbers))
            told = told or numbers
            assert numbers == told
        assert [client.sid for client in clients] == sids
