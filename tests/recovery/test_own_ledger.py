"""Python and plain clients that are cut off at random, while events go on, have missed nothing in the end."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from tests.harness import eventually, three_nodes
from tests.recovery.door import Door
from tests.recovery.plain_clients import open_endpoint, returning_plain
from tests.recovery.python_clients import own_client

KINDS = ["AsyncClient", "Client", "plain"] * 4
CUTS = 5


@pytest.fixture
async def nodes(bus_url, prefix, recovery_seconds):
    async with three_nodes(
        bus_url, prefix, configure=open_endpoint, recovery_seconds=recovery_seconds
    ) as three:
        yield three


async def disturb(client, door, nodes, chance):
    """Cut a client off again and again, each time in another way, and let it come back to any node."""
    for _ in range(CUTS):
        await asyncio.sleep(chance.uniform(0, 0.3))
        node = chance.choice(nodes)
        how = chance.choice(["at once", "later", "half open"])
        if how == "half open":
            door.forsake(node)
        else:
            door.cut()
            await asyncio.sleep(0 if how == "at once" else chance.uniform(0, 0.4))
            door.lead(node)
        assert await client.came_back() is True


def owed(index, sent):
    """What the client with this index has to get, when these numbers were sent."""
    for number in sent:
        yield "all", [number]
        if number % 3 == index % 3:
            yield "group", [number]
        if number % len(KINDS) == index:
            yield "own", [number]


async def test_cut_off_at_random(nodes):
    """Each client keeps its sid and gets each event that it was owed once, and in order."""
    async with contextlib.AsyncExitStack() as stack:
        clients, doors = [], []
        for index, kind in enumerate(KINDS):
            doors.append(await stack.enter_async_context(Door(nodes[index % 3])))
            made = returning_plain(doors[-1]) if kind == "plain" else own_client(kind, doors[-1])
            clients.append(await stack.enter_async_context(made))
        sids = [client.sid for client in clients]
        for index, sid in enumerate(sids):
            await nodes[index % 3].sio.enter_room(sid, f"group {index % 3}")
        chances = [random.Random(index) for index in range(len(KINDS))]
        disturbing = asyncio.gather(
            *(disturb(*each, nodes, chance) for *each, chance in zip(clients, doors, chances, strict=True))
        )
        sent = []
        while not disturbing.done():
            sent.append(number := len(sent))
            await nodes[0].sio.emit("all", number)
            await nodes[0].sio.emit("group", number, room=f"group {number % 3}")
            await nodes[0].sio.emit("own", number, to=sids[number % len(KINDS)])
            await asyncio.sleep(0.01)
        await disturbing
        assert [client.sid for client in clients] == sids
        for index, client in enumerate(clients):
            due = list(owed(index, sent))
            await eventually(lambda client=client, due=due: client.events.qsize() >= len(due))
            got = [client.events.get_nowait() for _ in due]
            if client.kind == "Client":  # handlers in threads may overtake each other
                got.sort()
                due.sort()
            assert got == due
        await nodes[0].sio.emit("all", "end")
        for client in clients:
            assert await asyncio.wait_for(client.events.get(), 15) == ("all", ["end"])
