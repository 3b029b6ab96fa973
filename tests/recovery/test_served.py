"""Under ``serve``: clients miss nothing when their worker is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from types import SimpleNamespace

import pytest

from tests.cluster.command import Command
from tests.harness import SECONDS
from tests.recovery.door import Door

APP = "tests.recovery.app:app"


@pytest.fixture
def served(serving):
    """Three workers with recovery, by the URL of each one's own port."""
    with Command("serve", APP, *serving) as command:
        nodes = [SimpleNamespace(url=urls[-1]) for _, urls in sorted(command.nodes(3).items())]
        yield SimpleNamespace(command=command, nodes=nodes)


async def test_a_killed_worker(served, driver):
    """After SIGKILL of its worker a client has its sid, its rooms and its session, and what it missed."""
    first, second, _ = served.nodes
    async with contextlib.AsyncExitStack() as stack:
        doors = [Door(first), Door(second)]
        for door in doors:
            await door.open()
            stack.push_async_callback(door.close)
        client, other = [
            await stack.enter_async_context(driver.client(door, reconnection=True)) for door in doors
        ]
        sid = client.sid
        (pid,) = await client.call("join", "red")
        await client.call("remember", {"name": "Ann"})
        await other.call("tell", "red", 1)
        assert (await client.next("told"))[0] == 1
        doors[0].lead(None)
        os.kill(pid, signal.SIGKILL)
        for number in range(2, 102):
            await other.call("tell", "red", number)
        doors[0].lead(second)
        assert await client.connects.get() is False
        assert await asyncio.wait_for(client.connects.get(), SECONDS) is True
        assert client.sid == sid
        for number in range(2, 102):
            assert (await client.next("told"))[0] == number
        assert await client.call("recall") == [[{"name": "Ann"}, sorted(["red", sid]), True]]
        await other.call("tell", "red", 102)
        assert (await client.next("told"))[0] == 102


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
            await stack.enter_async_context(driver.client(node, reconnection=True)) for node in served.nodes
        ]
        sids = [client.sid for client in clients]
        for client in clients:
            await client.call("join", "red")
        teller = await stack.enter_async_context(driver.client(served.nodes[0], reconnection=True))
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
