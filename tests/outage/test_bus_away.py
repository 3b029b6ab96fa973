"""The bus is stopped, restarted and frozen in the middle of traffic."""

from __future__ import annotations

import asyncio

from tests.harness import client, eventually, fence, three_nodes
from tests.outage.ledger import emit_until, expect_all

QUICK = {"heartbeat": 0.4, "dead_after": 2.0}
"""Heartbeats of tests: what takes seconds in production takes tenths here."""


async def in_thread(act):
    """Servers start and stop by blocking calls."""
    await asyncio.get_running_loop().run_in_executor(None, act)


async def expect(one, event, numbers):
    for number in numbers:
        assert await one.next(event, timeout=30) == [number]


async def test_restart(bus, prefix):
    """What is emitted while the bus is down reaches local clients at once, and the others, once and in
    order, when it is back.
    """
    async with three_nodes(bus.url, prefix, **QUICK) as nodes:
        async with client(nodes[0]) as near, client(nodes[1]) as far, client(nodes[2]) as third:
            await nodes[1].sio.enter_room(far.sid, "red")
            await nodes[0].sio.emit("n", 0)
            for one in (near, far, third):
                await expect(one, "n", [0])
            await in_thread(bus.stop)
            for number in range(1, 201):
                await nodes[0].sio.emit("n", number, room=[None, "red", far.sid][number % 3])
            await expect(near, "n", [n for n in range(1, 201) if n % 3 == 0])
            await eventually(lambda: not any(node.manager.ready for node in nodes), 15)
            await in_thread(bus.start)
            await expect(far, "n", range(1, 201))
            await expect(third, "n", [n for n in range(1, 201) if n % 3 == 0])
            await eventually(lambda: all(node.manager.ready for node in nodes), 15)
            await fence(nodes[0], near, far, third)
            assert all(node.manager.stats.reconnects >= 1 for node in nodes)
            assert all(node.manager.stats.dropped == 0 for node in nodes)


async def test_frozen(bus, prefix):
    """A bus that accepts and never answers is noticed; local clients are served, and nothing is lost."""
    async with three_nodes(bus.url, prefix, count=2, **QUICK) as nodes:
        async with client(nodes[0]) as near, client(nodes[1]) as far:
            await in_thread(bus.pause)
            try:
                for number in range(50):
                    await nodes[0].sio.emit("n", number)
                await expect(near, "n", range(50))
                await eventually(lambda: not any(node.manager.ready for node in nodes), 15)
            finally:
                await in_thread(bus.resume)
            await expect(far, "n", range(50))
            await fence(nodes[0], near, far)


async def test_traffic_through_restarts(bus, prefix):
    """Three emitters that never pause lose, double and swap nothing while the bus is killed twice."""
    async with three_nodes(bus.url, prefix, **QUICK) as nodes:
        async with client(nodes[0]) as a, client(nodes[1]) as b, client(nodes[2]) as c:
            stop = asyncio.Event()
            emitters = [
                asyncio.create_task(emit_until(stop, node, f"from{i}")) for i, node in enumerate(nodes)
            ]
            for _ in range(2):
                await in_thread(bus.stop)
                await eventually(lambda: not any(node.manager.ready for node in nodes), 15)
                await in_thread(bus.start)
                await eventually(lambda: all(node.manager.ready for node in nodes), 15)
            stop.set()
            totals = [await task for task in emitters]
            for one in (a, b, c):
                await expect_all(one, totals)
            await fence(nodes[1], a, b, c)


async def test_too_long(bus, prefix, caplog):
    """Beyond the buffer's bound the oldest go, counted, and logged once; the newest arrive in order."""
    async with three_nodes(bus.url, prefix, count=2, buffer_bytes=64 * 1024, **QUICK) as nodes:
        async with client(nodes[0]) as near, client(nodes[1]) as far:
            await in_thread(bus.stop)
            await eventually(lambda: not any(node.manager.ready for node in nodes), 15)
            for number in range(400):
                await nodes[0].sio.emit("n", (number, "x" * 1000))
            await eventually(lambda: near.events.qsize() == 400)
            dropped = nodes[0].manager.stats.dropped
            assert 300 < dropped < 400
            await in_thread(bus.start)
            first, _ = await far.next("n", timeout=30)
            assert first >= dropped
            for number in range(first + 1, 400):
                assert (await far.next("n"))[0] == number
            await eventually(lambda: nodes[1].manager.stats.gaps == 1)
            assert nodes[1].manager.stats.lost == dropped
    (line,) = [record.getMessage() for record in caplog.records if "are lost" in record.message]
    assert line.startswith(f"{dropped} envelopes of 1 senders are lost to this node")
    warnings = [record for record in caplog.records if "dropping the oldest" in record.message]
    assert len(warnings) == 1


async def test_joins_while_away(bus, prefix):
    """A client that connects and joins a room while the bus is down is reached when it is back."""
    async with three_nodes(bus.url, prefix, count=2, **QUICK) as nodes:
        await in_thread(bus.stop)
        await eventually(lambda: not any(node.manager.ready for node in nodes), 15)
        async with client(nodes[1]) as late:
            await nodes[1].sio.enter_room(late.sid, "red")
            await nodes[1].sio.emit("here", room="red")
            assert await late.next("here") == []
            await in_thread(bus.start)
            await eventually(lambda: all(node.manager.ready for node in nodes), 15)
            await nodes[0].sio.emit("there", room="red")
            assert await late.next("there") == []


async def test_started_before_the_bus(bus, prefix):
    """A node that starts while the bus is down serves its clients and joins when it is up."""
    await in_thread(bus.stop)
    async with three_nodes(bus.url, prefix, count=1, settled=False) as nodes, client(nodes[0]) as one:
        await nodes[0].sio.emit("alone")
        assert await one.next("alone") == []
        await in_thread(bus.start)
        await eventually(lambda: nodes[0].manager.ready, 15)
