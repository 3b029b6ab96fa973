"""Rooms on several shards work as rooms on one bus do."""

from __future__ import annotations

import asyncio

from tests.harness import client, fence, three_nodes
from tests.shards.rooms import room_on, rooms_of


async def room_fence(node, one, rooms):
    """Check that what this node has emitted to these rooms has brought the client no more than it took."""
    for room in rooms:
        await node.sio.emit("fence", room, to=room)
    marks = sorted([(await one.next("fence"))[0] for _ in rooms])
    assert marks == sorted(rooms)


async def test_order_of_each_room(shards_url, prefix):
    """What one task emits to a room, or to a sid, comes once and in order, whichever shard has it."""
    async with three_nodes(shards_url, prefix) as nodes, client(nodes[1]) as b, client(nodes[2]) as c:
        rooms = rooms_of(nodes[0])
        for room in rooms:
            for one in (b, c):
                await nodes[0].sio.enter_room(one.sid, room)
        for number in range(300):
            for room in rooms:
                await nodes[0].sio.emit(room, number, to=room)
            await nodes[0].sio.emit("all", number)
            await nodes[0].sio.emit("b", number, to=b.sid)
        for one, names in ((b, [*rooms, "all", "b"]), (c, [*rooms, "all"])):
            heard = {name: [] for name in names}
            for _ in range(300 * len(names)):
                name, (number,) = await one.next_any()
                heard[name].append(number)
            assert all(numbers == list(range(300)) for numbers in heard.values())
        await fence(nodes[0], b, c)


async def test_several_rooms(shards_url, prefix):
    """An emit to rooms on several shards reaches a client in all of them, or in one, once."""
    async with three_nodes(shards_url, prefix) as nodes, client(nodes[1]) as b, client(nodes[2]) as c:
        rooms = rooms_of(nodes[0])
        for room in rooms:
            await nodes[0].sio.enter_room(b.sid, room)
        await nodes[0].sio.enter_room(c.sid, rooms[-1])
        for number in range(100):
            await nodes[0].sio.emit("n", number, to=rooms)
        await nodes[0].sio.emit("both", to=[b.sid, rooms[-1]])
        await nodes[0].sio.emit("skip", to=rooms, skip_sid=b.sid)
        for number in range(100):
            for one in (b, c):
                assert await one.next("n") == [number]
        for one in (b, c):
            assert await one.next("both") == []
        assert await c.next("skip") == []
        await fence(nodes[0], b, c)
        await room_fence(nodes[0], b, rooms)


async def test_entered(shards_url, prefix):
    """An emit made after ``enter_room`` has returned arrives, on any shard, whoever made it."""
    async with three_nodes(shards_url, prefix) as nodes, client(nodes[1]) as one:
        for turn in range(20):
            for room in rooms_of(nodes[0], f"turn {turn}"):
                await nodes[turn % 3].sio.enter_room(one.sid, room)
                await nodes[(turn + 1) % 3].sio.emit("in", room, to=room)
                assert await one.next("in") == [room]


async def test_left_and_closed(shards_url, prefix):
    """What was emitted to a room before a client left it, or before it was closed, still arrives."""
    async with three_nodes(shards_url, prefix) as nodes, client(nodes[1]) as one:
        for shard, room in enumerate(rooms_of(nodes[0])):
            for end in ("leave", "close"):
                await nodes[0].sio.enter_room(one.sid, room)
                for number in range(50):
                    await nodes[0].sio.emit("n", number, to=room)
                if end == "leave":
                    await nodes[0].sio.leave_room(one.sid, room)
                else:
                    await nodes[0].sio.close_room(room)
                await nodes[0].sio.emit("nobody", to=room)
                for number in range(50):
                    assert await one.next("n") == [number], f"shard {shard}, {end}"
        await fence(nodes[0], one)
        await nodes[0].sio.enter_room(one.sid, room)
        await room_fence(nodes[0], one, [room])


async def test_only_who_needs_it(redis_shards_url, prefix):
    """A room's event goes to the nodes with members, by its own shard alone."""
    async with three_nodes(redis_shards_url, prefix) as nodes, client(nodes[1]) as b, client(nodes[2]) as c:
        room = room_on(nodes[0], 2)
        await nodes[0].sio.enter_room(b.sid, room)
        before = nodes[2].manager.stats.received["Emit"]
        sent = [shard.publisher.number for shard in nodes[0].manager.node.shards]
        for number in range(20):
            await nodes[0].sio.emit("n", number, to=room)
            assert await b.next("n") == [number]
        assert [
            shard.publisher.number - old
            for shard, old in zip(nodes[0].manager.node.shards, sent, strict=True)
        ] == [0, 0, 20]
        await fence(nodes[0], c)
        assert nodes[2].manager.stats.received["Emit"] == before + 1


async def test_acks(shards_url, prefix):
    """Callbacks of emits to rooms on every shard are called for each client, and calls to sids answer."""
    async with three_nodes(shards_url, prefix) as nodes, client(nodes[1]) as b, client(nodes[2]) as c:
        for room in rooms_of(nodes[0]):
            answers = asyncio.Queue()
            for one in (b, c):
                await nodes[0].sio.enter_room(one.sid, room)
            await nodes[0].sio.emit("ask", room, to=room, callback=answers.put_nowait)
            for one in (b, c):
                assert await one.next("ask") == [room]
                assert await asyncio.wait_for(answers.get(), 15) == room
        assert await nodes[0].sio.call("ask", 1, to=b.sid) == 1
