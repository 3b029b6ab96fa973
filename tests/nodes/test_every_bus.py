"""The essentials on the buses that the other tests leave out."""

from __future__ import annotations

import pytest

from tests.harness import client, fence, three_nodes

RARE = [
    "redis_sentinel",
    "redis_cluster",
    "redis_shards",
    "redis_cluster_shards",
    "kombu_redis",
    "nats",
    "nats_cluster",
]


@pytest.fixture(params=RARE)
def rare_bus(request):
    return request.getfixturevalue(f"{request.param}_url")


async def one_by_one(one, kinds):
    """Check that 200 numbers come once, and those of each kind in order: with one kind all of them."""
    numbers = [(await one.next("n"))[0] for _ in range(200)]
    for kind in range(kinds):
        assert [number for number in numbers if number % kinds == kind] == list(range(kind, 200, kinds))


async def test_essentials(rare_bus, prefix):
    """Emits of every kind, skip_sid, calls, joins, disconnects and order across three nodes."""
    async with three_nodes(rare_bus, prefix) as nodes:
        polling = client(nodes[2], transports=["polling"])
        async with client(nodes[0]) as a, client(nodes[1]) as b, polling as c:
            everyone = (a, b, c)
            await nodes[0].sio.emit("all", {"n": [1, b"\x00\xff"]})
            for one in everyone:
                assert await one.next("all") == [{"n": [1, b"\x00\xff"]}]
            for one in (b, c):
                await nodes[0].sio.enter_room(one.sid, "red")
            await nodes[1].sio.emit("skip", to="red", skip_sid=c.sid)
            assert await b.next("skip") == []
            assert await nodes[0].sio.call("question", ("x", b"\x01"), to=c.sid) == ("x", b"\x01")
            assert await c.next("question") == ["x", b"\x01"]
            for number in range(200):
                await nodes[2].sio.emit("n", number, to=[None, "red", b.sid, ["red", b.sid]][number % 4])
            await one_by_one(b, kinds=1 if len(nodes[0].manager.node.shards) == 1 else 4)
            await nodes[1].sio.leave_room(c.sid, "red")
            await nodes[0].sio.close_room("red")
            await nodes[2].sio.emit("nobody", to="red")
            await nodes[0].sio.disconnect(b.sid)
            await b.gone.wait()
            for number in range(0, 200, 4):
                assert await a.next("n") == [number]
            await fence(nodes[1], a)
