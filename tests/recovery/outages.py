"""What clients get when the bus goes away: all that is theirs, or a word that some may be missing."""

from __future__ import annotations

import asyncio

from tests.harness import SECONDS, eventually, three_nodes
from tests.recovery.clients import SOON, came_back, fence, left, take
from tests.recovery.door import Door

LONG = 4 * SECONDS
"""For servers that start slowly, or come back as another one."""

PATIENT = 20 * SECONDS
"""How long clients may be away and events may wait: on a busy machine RabbitMQ alone takes 40 s to start."""


async def stop(servers, *nodes):
    """Stop servers, and return when the nodes have noticed."""
    for server in servers:
        server.stop()
    await eventually(lambda: not any(node.manager.ready for node in nodes))


async def start(servers):
    for server in servers:
        await asyncio.to_thread(server.start)


async def nothing_is_forgotten(bus_url, prefix, driver, servers, **options):
    """Check that clients have their sessions when the servers are back, and get what waited meanwhile."""
    options |= {"recovery_seconds": PATIENT, "buffer_seconds": PATIENT}
    async with three_nodes(bus_url, prefix, count=2, **options) as (a, b):
        async with (
            Door(a) as door,
            driver.client(door, reconnection=True, **SOON) as client,
            driver.client(a) as other,
        ):
            assert await client.connects.get() is False
            sid = client.sid
            await a.sio.enter_room(sid, "red")
            await b.sio.emit("n", 1, room="red")
            await take(client, "n", 1)
            door.cut()
            await left(a, sid)
            await b.sio.emit("n", 2, room="red")
            await b.sio.emit("all", 2)
            await take(other, "all", 2)
            await stop(servers, a, b)
            await b.sio.emit("n", 3, room="red")
            await b.sio.emit("all", 3)
            await start(servers)
            await asyncio.wait_for(b.manager.node.reached(), LONG)
            await take(other, "all", 3)
            door.lead(b)
            assert await came_back(client) is True
            assert client.sid == sid
            for event, number in (("n", 2), ("all", 2), ("n", 3), ("all", 3)):
                await take(client, event, number)
            await fence(a, other, client)


async def all_are_told(bus_url, prefix, driver, forget, **options):
    """Check that after ``forget(a, b, client of b)`` all clients are told, also those that are away."""
    async with (
        three_nodes(bus_url, prefix, count=2, recovery_seconds=30, **options) as (a, b),
        Door(a) as door,
        driver.client(b, reconnection=True, **SOON) as here,
        driver.client(door, reconnection=True, **SOON) as away,
    ):
        assert [await client.connects.get() for client in (here, away)] == [False, False]
        sids = here.sid, away.sid
        await b.sio.emit("n", 1)
        for client in (here, away):
            await take(client, "n", 1)
        door.cut()
        await left(a, away.sid)
        await b.sio.emit("n", 2)
        await take(here, "n", 2)
        # What the bus has not confirmed is sent again when it is back, and ``away`` may be there by then.
        await eventually(lambda: not b.manager.node.shards[0].publisher.backlog.unsent)
        await forget(a, b, here)
        assert not await asyncio.wait_for(here.connects.get(), LONG)
        await eventually(lambda: a.manager.ready and b.manager.ready, LONG)
        door.lead(a)
        assert await came_back(away) is False
        assert not {here.sid, away.sid} & set(sids)
        await b.sio.emit("n", 3)
        for client in (here, away):
            await take(client, "n", 3)
        await fence(a, here, away)
