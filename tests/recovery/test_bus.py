"""What clients get when the bus, or a node's link to it, goes away and comes back."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import NodeTimeout
from tests.harness import SECONDS, eventually, three_nodes
from tests.recovery.clients import came_back, fence, left, take
from tests.recovery.conftest import BUSES
from tests.recovery.door import Door
from tests.recovery.outages import all_are_told, nothing_is_forgotten, start, stop
from tests.services.hub import HubServer


@pytest.mark.parametrize("bus_url", [*BUSES, "nats"], indirect=True)
async def test_links_that_break(nodes, door, connect):
    """While links break again and again, a connected client gets each event once, in order."""
    a, b, _ = nodes
    client = await connect()
    await a.sio.enter_room(client.sid, "red")

    async def break_links():
        while True:
            await asyncio.sleep(0.3)
            for node in (a, b):
                node.manager.node.link.fail("the test says so")

    breaking = asyncio.create_task(break_links())
    for number in range(300):
        await b.sio.emit("n", number, room="red")
        await asyncio.sleep(0.01)
    breaking.cancel()
    for number in range(300):
        await take(client, "n", number)
    await fence(b, client)


async def test_a_restart_that_forgets_nothing(redis_that_remembers, prefix, driver):
    """After a restart of a server that remembers, clients have their sessions, and get what waited."""
    await nothing_is_forgotten(redis_that_remembers.url, prefix, driver, [redis_that_remembers])


async def test_a_restart_that_forgets(tmp_path, prefix, driver):
    """After a restart of a bus that forgets, clients are told that they may have missed something."""
    with HubServer(tmp_path) as hub:

        async def restart(a, b, _):
            await stop([hub], a, b)
            await start([hub])

        await all_are_told(hub.url, prefix, driver, restart)


async def test_a_room_is_closed_without_a_bus(tmp_path, prefix):
    """While the bus is away, who closes a room is told that others may still be in it."""
    with HubServer(tmp_path) as hub:
        options = {"count": 1, "recovery_seconds": 30, "request_seconds": 0.5}
        async with three_nodes(hub.url, prefix, **options) as (a,):
            await stop([hub], a)
            with pytest.raises(NodeTimeout, match="away"):
                await a.sio.close_room("red")


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
@pytest.mark.parametrize("recovery_seconds", [2])
async def test_too_late(nodes, door, connect, recovery_seconds):
    """A client that is away for longer than it may be is a new one."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    door.cut()
    await left(a, sid)
    await b.sio.emit("missed", 1)
    await asyncio.sleep(recovery_seconds + 0.5)
    door.lead(b)
    assert await came_back(client) is False
    assert client.sid != sid
    await fence(b, client)


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_one_of_two(nodes, door, connect, driver):
    """Of two connections with one pid one has the session; the other has another one, or comes back."""
    a, b, _ = nodes
    client = await connect(reconnection=False)
    pid = a.manager.members.clients[client.sid].session.pid
    door.cut()
    await left(a, client.sid)
    auth = {"pid": pid}
    made = [driver.client(node, auth=auth) for node in (a, b)]
    opened = await asyncio.gather(*(one.__aenter__() for one in made), return_exceptions=True)
    await eventually(
        lambda: sum(node.manager.members.find(client.sid, "/") is not None for node in (a, b)) == 1,
        SECONDS,
    )
    owner = next(node for node in (a, b) if node.manager.members.find(client.sid, "/"))
    assert owner.manager.recovered(client.sid)
    for one, answer in zip(made, opened, strict=True):
        if not isinstance(answer, Exception):
            await one.__aexit__(None, None, None)


@pytest.mark.parametrize("bus_url", ["local", "redis"], indirect=True)
async def test_more_than_is_kept(bus_url, prefix, driver):
    """A client that missed more than the bus keeps is told so; one that missed less is recovered."""
    options = {"count": 2, "recovery_seconds": 30, "recovery_bytes": 256 * 1024}
    async with three_nodes(bus_url, prefix, **options) as (a, b):
        async with (
            Door(a) as door,
            driver.client(door, reconnection=True) as client,
        ):
            assert await client.connects.get() is False
            for kibibytes, recovered in ((100, True), (500, False)):
                sid = client.sid
                door.cut()
                await left(a, sid)
                for number in range(kibibytes // 4):
                    await b.sio.emit("n", [number, "x" * 4096])
                door.lead(a)
                assert await came_back(client) is recovered
                for number in range(kibibytes // 4 if recovered else 0):
                    await take(client, "n", [number, "x" * 4096])
                await fence(b, client)
        assert a.manager.stats.recoveries == {"recovered": 1, "late": 1}


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_a_quiet_client_among_busy_ones(bus_url, prefix, driver):
    """A client without events for longer than any are kept is recovered: its position moves on without it."""
    pings = {"ping_interval": 0.5, "ping_timeout": 0.5}
    options = {"count": 2, "recovery_seconds": 4, "server_options": pings}
    async with three_nodes(bus_url, prefix, **options) as (a, b):
        async with (
            Door(a) as door,
            driver.client(door, reconnection=True) as client,
        ):
            assert await client.connects.get() is False
            sid = client.sid
            position = a.manager.members.clients[sid].session.position
            keeper = a.manager.recovery.keeper
            while (await keeper.place()).floor <= position:
                await b.sio.emit("other", room="nobody's")
                await asyncio.sleep(0.05)
            door.cut()
            await left(a, sid)
            await b.sio.emit("missed", 1)
            door.lead(b)
            assert await came_back(client) is True
            await take(client, "missed", 1)
            await fence(a, client)
