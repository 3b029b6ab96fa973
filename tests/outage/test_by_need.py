"""One node is cut off while others go on: it gets what it would have got, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib

from tests.adversary.wire import Wire
from tests.harness import Node, client, eventually, fence, stop_all

QUICK = {"heartbeat": 0.4, "dead_after": 2.0}


@contextlib.asynccontextmanager
async def one_on_a_wire(bus_url, prefix, *, count=3, timing=QUICK):
    """Nodes that see each other, and the wire by which the second one is on the bus."""
    async with Wire(bus_url) as wire, contextlib.AsyncExitStack() as stack:
        nodes = [Node(wire.url if at == 1 else bus_url, prefix, **timing) for at in range(count)]
        stack.push_async_callback(stop_all, nodes)
        for node in nodes:
            await node.start()
        await eventually(lambda: all(len(node.manager.nodes()) == count for node in nodes))
        yield nodes, wire


@contextlib.asynccontextmanager
async def cut_off(node, wire):
    """The node is away from the bus, which goes on for the others."""
    with wire.shut():
        await eventually(lambda: not node.manager.ready)
        yield
    await eventually(lambda: node.manager.ready)


def answers(node):
    return node.manager.stats.published["Answer"]


async def test_only_what_is_needed(bus_url, prefix):
    """What went to its rooms while it was away comes, in order; what went to those of others does not."""
    async with one_on_a_wire(bus_url, prefix) as (nodes, wire):
        async with client(nodes[1]) as red, client(nodes[2]) as blue:
            await nodes[1].sio.enter_room(red.sid, "red")
            await nodes[2].sio.enter_room(blue.sid, "blue")
            async with cut_off(nodes[1], wire):
                for number in range(300):
                    await nodes[0].sio.emit("n", [number, "x" * 3000], room="blue" if number % 10 else "red")
                for number in range(300):
                    if number % 10:
                        assert (await blue.next("n"))[0][0] == number
            await nodes[0].sio.emit("n", [300, ""], room="red")
            for number in range(0, 301, 10):
                assert (await red.next("n"))[0][0] == number
            await fence(nodes[0], red, blue)
            assert 1 <= answers(nodes[0]) <= 2, "30 events of 3 kB fit into one piece"
            assert answers(nodes[2]) == 0
            assert nodes[1].manager.stats.received["Emit"] <= 31 + 20 + 1, (
                "64 partitions may hold some of blue's"
            )


async def test_nothing_missed(bus_url, prefix):
    """Who missed nothing asks nobody."""
    async with one_on_a_wire(bus_url, prefix) as (nodes, wire), client(nodes[2]) as one:
        await nodes[2].sio.enter_room(one.sid, "blue")
        async with cut_off(nodes[1], wire):
            await nodes[0].sio.emit("n", 1, room="blue")
            assert await one.next("n") == [1]
        await eventually(lambda: not nodes[1].manager.node.shards[0]._streams.behind())
        assert nodes[1].manager.stats.published["Ask"] == 0


async def test_much_was_missed(bus_url, prefix):
    """Many pieces come one after the other, and what is emitted meanwhile comes after them."""
    async with one_on_a_wire(bus_url, prefix, count=2) as (nodes, wire), client(nodes[1]) as one:
        async with cut_off(nodes[1], wire):
            for number in range(3000):
                await nodes[0].sio.emit("n", [number, "x" * 1000])
        for number in range(3000, 3500):
            await nodes[0].sio.emit("n", [number, "x" * 1000])
            await asyncio.sleep(0)
        for number in range(3500):
            assert (await one.next("n", timeout=30))[0][0] == number
        await fence(nodes[0], one)
        assert answers(nodes[0]) >= 6
        assert nodes[1].manager.stats.gaps == 0
