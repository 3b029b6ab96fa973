"""One server of several is killed, restarted and frozen in the middle of traffic."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster import AsyncEmitter, BrokerError, NodeTimeout
from tests.harness import client, eventually, fence, three_nodes
from tests.outage.test_bus_away import QUICK, in_thread
from tests.shards.rooms import room_on, rooms_of


@contextlib.asynccontextmanager
async def away(nodes, shards, shard):
    """The server of a shard is killed; it runs again behind the block, with all nodes on it."""
    name = f"shard {shard} of the bus (redis://127.0.0.1:{shards.servers[shard].port}/0)"
    await in_thread(shards.servers[shard].stop)
    await eventually(lambda: all(node.manager.away == [name] for node in nodes))
    try:
        yield
    finally:
        await in_thread(shards.servers[shard].start)
    await eventually(lambda: all(node.manager.ready for node in nodes))


async def emit_until(stop, node, rooms):
    """Emit numbers to each of the rooms without a pause. Returns how many each got."""
    number = 0
    while not stop.is_set():
        for room in rooms:
            await node.sio.emit(room, [node.manager.node_id, number], to=room)
        number += 1
        await asyncio.sleep(0.002)
    return number


async def heard(one, due):
    """Take events until all that are due have come, each once and in order: ``due`` has how many of each."""
    found = dict.fromkeys(due, 0)
    while found != due:
        room, ((sender, number),) = await one.next_any(timeout=30)
        assert number == found[room, sender], f"{room} of {sender}: {found[room, sender]} was due"
        found[room, sender] += 1


@pytest.mark.parametrize("shard", [0, 1])
async def test_ledger(shards, prefix, shard):
    """Three emitters that never pause lose, double and swap nothing while one shard is killed twice."""
    async with three_nodes(shards.url, prefix, **QUICK) as nodes:
        async with client(nodes[0]) as a, client(nodes[1]) as b, client(nodes[2]) as c:
            rooms = rooms_of(nodes[0])
            for room in rooms:
                for one in (a, b, c):
                    await nodes[0].sio.enter_room(one.sid, room)
            stop = asyncio.Event()
            emitters = [asyncio.create_task(emit_until(stop, node, rooms)) for node in nodes]
            for _ in range(2):
                async with away(nodes, shards, shard):
                    pass
            stop.set()
            totals = {node.manager.node_id: await task for node, task in zip(nodes, emitters, strict=True)}
            due = {(room, sender): total for room in rooms for sender, total in totals.items()}
            for one in (a, b, c):
                await heard(one, due)
            for room in rooms:
                await nodes[1].sio.emit("end", to=room)
            for one in (a, b, c):
                for _ in rooms:
                    assert await one.next("end") == []
            assert all(node.manager.stats.dropped == node.manager.stats.lost == 0 for node in nodes)


async def test_others_go_on(shards, prefix):
    """While a shard is away its rooms wait, and all else goes on: other rooms, sids, joins and questions."""
    async with three_nodes(shards.url, prefix, **QUICK) as nodes:
        async with client(nodes[1]) as b, client(nodes[2]) as c:
            lost, first, other = room_on(nodes[0], 1), room_on(nodes[0], 0), room_on(nodes[0], 2)
            for room in (lost, first, other):
                await nodes[0].sio.enter_room(b.sid, room)
            async with away(nodes, shards, 1):
                await nodes[0].sio.emit("late", to=lost)
                for number in range(3000):  # more than an emit waits for, where the bus is reached
                    await nodes[0].sio.emit("late", number, to=lost)
                for room in (first, other):
                    await nodes[0].sio.emit("n", room, to=room)
                    assert await b.next("n") == [room]
                assert await nodes[0].sio.call("ask", 1, to=b.sid) == 1
                assert await b.next("ask") == [1]
                await nodes[0].sio.emit("all")
                await nodes[0].sio.emit("some", to=[lost, other])
                for name in ("all", "some"):
                    assert await b.next(name) == []
                assert await c.next("all") == []
                await nodes[0].sio.enter_room(c.sid, other)
                await nodes[1].sio.emit("n", other, to=other)
                for one in (b, c):
                    assert await one.next("n") == [other]
                await nodes[2].sio.enter_room(c.sid, lost)
                await nodes[2].sio.disconnect(c.sid)
                await c.gone.wait()
                async with AsyncEmitter(shards.url, prefix=prefix) as emitter:
                    await emitter.emit("n", other, to=other)
                    assert await b.next("n") == [other]
                    assert await emitter.count() == await emitter.count(lost) == 1
            assert await b.next("late") == []
            for number in range(3000):
                assert await b.next("late") == [number]
            await fence(nodes[0], b)


async def test_joined_meanwhile(shards, prefix):
    """A client that enters a room of a shard that is away gets what was emitted to it since, later."""
    async with three_nodes(shards.url, prefix, count=2, **QUICK) as nodes, client(nodes[1]) as one:
        room = room_on(nodes[0], 2)
        async with away(nodes, shards, 2):
            await nodes[1].sio.enter_room(one.sid, room)
            for number in range(20):
                await nodes[0].sio.emit("n", number, to=room)
        for number in range(20):
            assert await one.next("n") == [number]


async def test_request_for_its_room(shards, prefix):
    """A join that another node asks for, in a room of a shard that is away, says which one it waits for."""
    async with three_nodes(shards.url, prefix, count=2, request_seconds=1, **QUICK) as nodes:
        async with client(nodes[1]) as one:
            async with away(nodes, shards, 1):
                with pytest.raises(NodeTimeout, match="shard 1 of the bus .* is away"):
                    await nodes[0].sio.enter_room(one.sid, room_on(nodes[0], 1))


async def test_frozen(shards, prefix):
    """A shard that accepts and never answers holds up nobody who emits to rooms of others."""
    async with three_nodes(shards.url, prefix, count=2, **QUICK) as nodes, client(nodes[1]) as one:
        slow, quick = room_on(nodes[0], 1), room_on(nodes[0], 2)
        for room in (slow, quick):
            await nodes[0].sio.enter_room(one.sid, room)
        await in_thread(shards.servers[1].pause)
        try:

            async def flood():
                for number in range(4000):
                    await nodes[0].sio.emit("slow", number, to=slow)

            flooding = asyncio.create_task(flood())
            await eventually(lambda: nodes[0].manager.node.shards[1].publisher.crowded)
            for number in range(50):
                await nodes[0].sio.emit("quick", number, to=quick)
            assert nodes[0].manager.node.shards[1].publisher.crowded
            for number in range(50):
                assert await one.next("quick") == [number]
            assert not flooding.done()
        finally:
            await in_thread(shards.servers[1].resume)
        for number in range(4000):
            assert await one.next("slow", timeout=30) == [number]
        await flooding


async def test_started_without_it(shards, prefix):
    """A node that starts while a shard is away serves all other rooms, and that one's when it is back."""
    await in_thread(shards.servers[1].stop)
    try:
        async with three_nodes(shards.url, prefix, count=2, settled=False, **QUICK) as nodes:
            await eventually(lambda: all(len(node.manager.nodes()) == 2 for node in nodes))
            async with client(nodes[1]) as one:
                rooms = rooms_of(nodes[0])
                for room in rooms:
                    await nodes[1].sio.enter_room(one.sid, room)
                for room in rooms:
                    await nodes[0].sio.emit("n", room, to=room)
                found = [(await one.next("n"))[0] for _ in range(2)]
                assert sorted(found) == sorted([rooms[0], rooms[2]])
                await in_thread(shards.servers[1].start)
                assert await one.next("n") == [rooms[1]]
    finally:
        if shards.servers[1]._process.poll() is not None:
            await in_thread(shards.servers[1].start)


async def test_emitter(shards, prefix):
    """An emitter reaches the rooms of the other shards, and says that it did not reach those of this one."""
    async with three_nodes(shards.url, prefix, count=1, **QUICK) as nodes, client(nodes[0]) as one:
        rooms = rooms_of(nodes[0])
        for room in rooms:
            await nodes[0].sio.enter_room(one.sid, room)
        async with AsyncEmitter(shards.url, prefix=prefix, timeout=1) as emitter:
            for room in rooms:
                await emitter.emit("n", room, to=room)
                assert await one.next("n") == [room]
            async with away(nodes, shards, 0):
                await emitter.emit("n", 2, to=rooms[2])
                assert await one.next("n") == [2]
                with pytest.raises(BrokerError, match="the event was not sent"):
                    await emitter.emit("never", to=rooms[0])
            await eventually(lambda: emitter.node.ready)
            await emitter.emit("n", 0, to=rooms[0])
            assert await one.next("n") == [0]


@pytest.mark.parametrize("end", ["leave_room", "close_room"])
async def test_left_and_closed_in_order(shards, prefix, end):
    """A leave and a close do not overtake what was emitted to the room, when its shard is slow."""
    async with three_nodes(shards.url, prefix, count=2, **QUICK) as nodes, client(nodes[1]) as one:
        room = room_on(nodes[0], 1)
        await nodes[0].sio.enter_room(one.sid, room)
        await in_thread(shards.servers[1].pause)
        try:
            for number in range(50):
                await nodes[0].sio.emit("n", number, to=room)
            whom = (one.sid, room) if end == "leave_room" else (room,)
            ending = asyncio.create_task(getattr(nodes[0].sio, end)(*whom))
            kind = "Leave" if end == "leave_room" else "Close"
            await eventually(lambda: nodes[0].manager.stats.published[kind])
            await fence(nodes[0], one)
        finally:
            await in_thread(shards.servers[1].resume)
        for number in range(50):
            assert await one.next("n") == [number]
        await ending
