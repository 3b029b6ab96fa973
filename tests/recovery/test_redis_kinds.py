"""Official clients over Redis Cluster, and over Redis with Sentinel when the primary dies."""

from __future__ import annotations

import asyncio

import pytest
from redis.crc import key_slot

from socketio_cluster.manager.bus.channels import Channels
from tests.harness import SECONDS, eventually, three_nodes
from tests.recovery.clients import SOON, came_back, fence, left, take
from tests.recovery.door import Door
from tests.services.redis import RedisCluster, RedisSentinel


@pytest.mark.parametrize("bus_url", ["redis_cluster", "redis_sentinel"], indirect=True)
@pytest.mark.parametrize("transports", [["websocket"], ["polling", "websocket"]])
async def test_again_and_again(nodes, door, connect, transports):
    """A client that is cut off again and again has its rooms and session, and gets each event once."""
    client = await connect(transports=transports)
    sid = client.sid
    await nodes[0].sio.enter_room(sid, "red")
    await nodes[0].sio.save_session(sid, {"name": "Ann"})
    for cut in range(5):
        door.cut()
        for number, node in enumerate(nodes):
            await node.sio.emit("n", [cut, number], room=["red", "blue"][number % 2])
        back = nodes[(cut + 1) % 3]
        door.lead(back)
        assert await came_back(client) is True
        assert client.sid == sid
        got = [(await client.next("n"))[0] for _ in range(2)]
        assert sorted(got) == [[cut, 0], [cut, 2]]
        assert await back.sio.get_session(sid) == {"name": "Ann"}
    await fence(nodes[0], client)


async def all_are_told(bus_url, prefix, driver, forget):
    """Check that after ``forget(node, client)`` all clients are told, also those that are away."""
    async with (
        three_nodes(bus_url, prefix, count=2, recovery_seconds=30) as (a, b),
        Door(a) as door,
        driver.client(b, reconnection=True, **SOON) as here,
        driver.client(door, reconnection=True, **SOON) as away,
    ):
        assert [await client.connects.get() for client in (here, away)] == [False, False]
        sids = here.sid, away.sid
        door.cut()
        await left(a, away.sid)
        await b.sio.emit("n", 1)
        await take(here, "n", 1)
        await forget(b, here)
        assert await asyncio.wait_for(here.connects.get(), 4 * SECONDS) is False
        door.lead(b)
        assert await came_back(away) is False
        assert not {here.sid, away.sid} & set(sids)
        await eventually(lambda: a.manager.ready and b.manager.ready)
        await a.sio.emit("n", 2)
        for client in (here, away):
            await take(client, "n", 2)
        await fence(b, here, away)


async def test_a_failover_that_loses_writes(tmp_path, prefix, driver):
    """After it every client is told: nobody goes on from an order that the new primary does not have."""
    with RedisSentinel(tmp_path) as servers:

        async def fail_over(node, client):
            servers.replica.pause()
            servers.master.ask("CLIENT", "KILL", "TYPE", "replica")  # it does not hear of what comes now
            await node.sio.emit("lost", 1)
            await take(client, "lost", 1)
            servers.master.stop()
            servers.replica.resume()

        await all_are_told(servers.url, prefix, driver, fail_over)


async def test_a_slot_that_moves_without_its_keys(tmp_path, prefix, driver):
    """When another server of a Redis Cluster has the slot, and not its history, every client is told."""
    with RedisCluster(tmp_path) as servers:
        slot = key_slot(Channels(prefix).everyone.encode())
        source = servers.owner(slot)
        target = next(node for node in servers.nodes if node is not source)

        async def move(*_):
            await asyncio.to_thread(servers.move, slot, source, target)

        await all_are_told(servers.url, prefix, driver, move)
