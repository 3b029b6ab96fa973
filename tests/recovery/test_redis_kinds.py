"""Official clients over Redis Cluster, and over Redis with Sentinel when the primary dies."""

from __future__ import annotations

import pytest

from tests.recovery.clients import came_back, fence, take
from tests.recovery.outages import all_are_told
from tests.services.redis import RedisSentinel


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


async def test_a_failover_that_loses_writes(tmp_path, prefix, driver):
    """After it every client is told: nobody goes on from an order that the new primary does not have."""
    with RedisSentinel(tmp_path) as servers:

        async def fail_over(_, node, client):
            servers.replica.pause()
            servers.master.ask("CLIENT", "KILL", "TYPE", "replica")  # it does not hear of what comes now
            await node.sio.emit("lost", 1)
            await take(client, "lost", 1)
            servers.master.stop()
            servers.replica.resume()

        await all_are_told(servers.url, prefix, driver, fail_over)
