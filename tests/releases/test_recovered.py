"""A client that is cut off comes back to a node of the other release, and has missed nothing."""

from __future__ import annotations

import asyncio

from tests.recovery.door import Door
from tests.recovery.python_clients import own_client
from tests.releases.releases import LastNode, PresentNode
from tests.releases.test_mixed import SECONDS, Client

OPTIONS = {"recovery_seconds": 60, "heartbeat": 1}


async def until_known(*nodes):
    """Wait until the nodes know each other."""
    there = {node.id for node in nodes}
    async with asyncio.timeout(SECONDS):
        while not all([there <= set(await node.nodes()) for node in nodes]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def read_all(follower, ends, count):
    """Read events until the last number of every stream, and so many others. Returns both."""
    ledger, others = {node: [] for node in ends}, []
    while len(others) < count or any(numbers[-1:] != [ends[node]] for node, numbers in ledger.items()):
        event, args = await follower.next_any()
        if event == "tick":
            ledger[args[0]].append(args[1])
        else:
            others.append((event, *args))
    return ledger, others


async def test_back_and_forth(redis_url, prefix, last_host):
    """Events, joins and closed rooms of either release, while it is away, hold wherever it comes back."""
    old = await LastNode(last_host, redis_url, prefix, **OPTIONS).start()
    new = await PresentNode(redis_url, prefix, **OPTIONS).start()
    await until_known(old, new)
    drivers = {}
    for node in (old, new):
        drivers[node] = Client()
        await drivers[node].sio.connect(node.url, transports=["websocket"])
    async with Door(old) as door, own_client("AsyncClient", door) as follower:
        for driver in drivers.values():
            await driver.call("stream", 0.02)
        sid, due = follower.sid, []
        for turn, (home, asker) in enumerate([(new, old), (old, new), (new, new), (old, old)]):
            door.cut()
            await follower.away()
            while await drivers[old].call("count", sid):  # noqa: ASYNC110 - until its node has noticed
                await asyncio.sleep(0.02)
            room, closed = f"room{turn}", f"closed{turn}"
            for entered in (room, closed):
                await drivers[asker].call("enter_room", sid, entered)
            await drivers[asker].call("close_room", closed)
            for node in (old, new):
                await drivers[node].call("emit", "red", [turn, node.id], {"room": room})
                await drivers[node].call("emit", "wrong", turn, {"room": closed})
                due.append(("red", [turn, node.id]))
            door.lead(home)
            assert await follower.came_back() is True
            assert follower.sid == sid
            await drivers[old].call("emit", "red", turn, {"room": room})
            due.append(("red", turn))
        ends = {node.id: await driver.call("end") for node, driver in drivers.items()}
        ledger, others = await read_all(follower, ends, len(due))
        for numbers in ledger.values():
            assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert others == due
    for node, driver in drivers.items():
        assert await node.trouble() == ({}, 0)
        await driver.sio.disconnect()
        await node.stop()
