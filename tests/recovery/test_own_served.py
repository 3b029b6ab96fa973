"""Under ``serve``: Python and plain clients miss nothing when workers are killed or replaced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from types import SimpleNamespace

import pytest
from socketio.exceptions import BadNamespaceError

from tests.cluster.command import Command
from tests.recovery.door import Door
from tests.recovery.plain_clients import returning_plain
from tests.recovery.python_clients import own_client

APP = "tests.recovery.app:with_plain"


@pytest.fixture
def served(serving):
    """Three workers with recovery, by the URL of each one's own port."""
    with Command("serve", APP, *serving) as command:
        nodes = [SimpleNamespace(url=urls[-1].rstrip("/")) for _, urls in sorted(command.nodes(3).items())]
        yield SimpleNamespace(command=command, nodes=nodes)


@contextlib.asynccontextmanager
async def one_of_each(door, transports=("websocket",)):
    """A client of each kind behind a door, in the room "red"; and the process of their worker."""
    async with (
        own_client("AsyncClient", door, transports=transports) as one,
        own_client("Client", door, transports=transports) as two,
        returning_plain(door) as three,
    ):
        clients = [one, two, three]
        pids = {await client.call("join", "red") for client in clients}
        assert len(pids) == 1
        yield clients, pids.pop()


async def heard(client, *numbers):
    """Take these numbers, in order but for handlers in threads."""
    got = [(await asyncio.wait_for(client.events.get(), 60)) for _ in numbers]
    assert sorted(got) == sorted(("told", [number]) for number in numbers)
    if client.kind != "Client":
        assert got == [("told", [number]) for number in numbers]


async def test_a_killed_worker(served):
    """After SIGKILL of their worker they have their sids and their rooms, and what they missed."""
    first, second, _ = served.nodes
    async with Door(first) as door, own_client("AsyncClient", second) as teller:
        async with one_of_each(door) as (clients, pid):
            sids = [client.sid for client in clients]
            await teller.call("tell", "red", 0)
            for client in clients:
                await heard(client, 0)
            door.lead(None)
            os.kill(pid, signal.SIGKILL)
            for number in range(1, 101):
                await teller.call("tell", "red", number)
            door.lead(second)
            for client in clients:
                assert await client.came_back() is True
                await heard(client, *range(1, 101))
            assert [client.sid for client in clients] == sids
            await teller.call("tell", "red", 101)
            for client in clients:
                await heard(client, 101)


@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
async def test_all_workers_are_replaced(served, transports):
    """While all workers are replaced, one after the other, they miss nothing and keep their sids."""
    first, second, _ = served.nodes
    async with Door(first) as door, own_client("AsyncClient", second) as teller:
        async with one_of_each(door, transports) as (clients, _):
            sids = [client.sid for client in clients]
            served.command.process.send_signal(signal.SIGHUP)
            last = 0
            while any(client.connects.empty() for client in (*clients, teller)):
                last += 1
                with contextlib.suppress(BadNamespaceError):  # the teller may just be away
                    await teller.sio.emit("tell", ("red", last))
                await asyncio.sleep(0.01)
            await teller.call("tell", "red", 0)
            assert [await client.came_back() for client in clients] == [True, True, True]
            assert [client.sid for client in clients] == sids
            told = []
            while 0 not in told:
                _, (number,) = await clients[0].next_any()
                told.append(number)
            assert told[:-1] == sorted(set(told[:-1]))
            for client in clients[1:]:
                await heard(client, *told)
