"""A crowd that is cut off again and again, while events go on, has missed nothing in the end."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.harness import SECONDS, eventually
from tests.recovery.conftest import BUSES
from tests.recovery.door import Door

CLIENTS = 45
CUTS = 4


def owed(index, sent):
    """What the client with this index has to get, when these numbers were sent."""
    due = []
    for number in sent:
        due.append(("all", number))
        if number % 5 == index % 5:
            due.append(("group", number))
        if number % CLIENTS == index:
            due.append(("own", number))
    return due


@pytest.mark.parametrize("bus_url", [*BUSES, "nats"], indirect=True)
async def test_a_crowd(nodes, driver):
    """Each of many clients in rooms of their own and a common one gets each event once, in order."""
    async with contextlib.AsyncExitStack() as stack:
        doors = [Door(node) for node in nodes]
        for door in doors:
            await door.open()
            stack.push_async_callback(door.close)
        clients = await asyncio.gather(
            *(
                stack.enter_async_context(driver.client(doors[index % 3], reconnection=True))
                for index in range(CLIENTS)
            )
        )
        sids = [client.sid for client in clients]
        for index, sid in enumerate(sids):
            await nodes[index % 3].sio.enter_room(sid, f"group {index % 5}")
        stop, sent = asyncio.Event(), []

        async def emit():
            number = 0
            while not stop.is_set():
                number += 1
                node = nodes[0]  # one emitter, so that the order is known
                await node.sio.emit("all", number)
                await node.sio.emit("group", number, room=f"group {number % 5}")
                await node.sio.emit("own", number, to=sids[number % CLIENTS])
                sent.append(number)
                await asyncio.sleep(0.01)

        emitting = asyncio.create_task(emit())
        for cut in range(CUTS):
            await asyncio.sleep(0.3)
            for index, door in enumerate(doors):
                (door.cut if cut % 2 else door.forsake)(nodes[(index + cut + 1) % 3])
            for client in clients:
                while not await asyncio.wait_for(client.connects.get(), SECONDS):
                    pass  # its first connection
        stop.set()
        await emitting
        assert [client.sid for client in clients] == sids
        for index, client in enumerate(clients):
            due = owed(index, sent)
            await eventually(lambda client=client, due=due: client.events.qsize() >= len(due))
            got = [(event, args[0]) for event, args in (client.events.get_nowait() for _ in due)]
            assert got == due
            assert client.events.empty()
