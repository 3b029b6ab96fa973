"""A NATS cluster of three servers: rooms are known at all of them, and one that dies takes nothing along."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from socketio_cluster.manager.brokers import nats
from tests.adversary.wire import Wire
from tests.harness import Node, client, eventually, fence, stop_all
from tests.outage.ledger import emit_until, expect_all
from tests.outage.test_bus_away import QUICK, in_thread
from tests.services.nats import NatsCluster
from tests.services.process import free_port


@pytest.fixture
async def doors():
    """What the servers' routes to each other pass through; it can be shut."""
    async with contextlib.AsyncExitStack() as stack:
        ports = [free_port() for _ in range(3)]
        yield [(port, await stack.enter_async_context(Wire(f"nats://127.0.0.1:{port}"))) for port in ports]


@pytest.fixture
async def servers(tmp_path, doors):
    """Three servers."""
    routes, wires = zip(*doors, strict=True)
    cluster = NatsCluster(tmp_path, routes, [urlsplit(wire.url).port for wire in wires])
    await in_thread(cluster.__enter__)
    yield cluster
    await in_thread(lambda: cluster.__exit__())


@pytest.fixture
async def nodes(servers, prefix, monkeypatch):
    """Three nodes at different servers, which know each other."""
    monkeypatch.setattr(nats, "random", SimpleNamespace(sample=lambda places, _: list(places)))
    places = [f"127.0.0.1:{server.port}" for server in servers.nodes]
    turned = [",".join(places[at:] + places[:at]) for at in range(3)]
    three = [Node(f"nats://{each}", prefix, **QUICK) for each in turned]
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(stop_all, three)
        for node in three:
            await node.start()
        await eventually(lambda: all(len(node.manager.nodes()) == 3 for node in three))
        yield three


async def test_a_room_is_known_everywhere(nodes):
    """What is emitted at other servers as soon as enter_room has returned reaches the client."""
    async with client(nodes[0]) as one:
        for number in range(100):
            await nodes[0].sio.enter_room(one.sid, f"room {number}")
            for node in nodes[1:]:
                await node.sio.emit("n", number, room=f"room {number}")
            assert [await one.next("n"), await one.next("n")] == [[number], [number]]


@pytest.mark.parametrize("end", ["stop", "retire"])
async def test_a_server_ends(servers, nodes, end, caplog):
    """When a server is killed or told to end its node goes to another one, and of all traffic nothing is
    lost, doubled or swapped.
    """
    async with client(nodes[0]) as a, client(nodes[1]) as b, client(nodes[2]) as c:
        stop = asyncio.Event()
        emitters = [asyncio.create_task(emit_until(stop, node, f"from{at}")) for at, node in enumerate(nodes)]
        await in_thread(getattr(servers.nodes[1], end))
        await eventually(lambda: nodes[1].manager.stats.reconnects == 1, 30)
        await eventually(lambda: all(node.manager.ready for node in nodes), 15)
        stop.set()
        totals = [await task for task in emitters]
        for one in (a, b, c):
            await expect_all(one, totals)
        await fence(nodes[1], a, b, c)
        assert [node.manager.stats.reconnects for node in nodes] == [0, 1, 0]
        assert ("lame duck" in caplog.text) is (end == "retire")


@pytest.mark.parametrize("seconds", [0.5, 6])
async def test_servers_that_are_cut_off_from_each_other(doors, servers, nodes, seconds):
    """What is emitted while the routes between the servers are broken, for less or for longer than it takes
    to declare a node dead, reaches all clients in order when they are back.
    """
    async with client(nodes[0]) as a, client(nodes[1]) as b, client(nodes[2]) as c:
        await nodes[1].sio.enter_room(b.sid, "red")
        with contextlib.ExitStack() as shut:
            for _, wire in doors:
                shut.enter_context(wire.shut())
            deadline = asyncio.get_running_loop().time() + seconds
            number = 0
            while asyncio.get_running_loop().time() < deadline:
                await nodes[0].sio.emit("n", number, room=[None, "red"][number % 2])
                number += 1
                await asyncio.sleep(0.01)
        for at in range(number):
            assert await b.next("n", timeout=30) == [at]
        for one in (a, c):
            assert [(await one.next("n", timeout=30))[0] for _ in range(0, number, 2)] == list(
                range(0, number, 2)
            )
        await eventually(lambda: all(len(node.manager.nodes()) == 3 for node in nodes), 15)
        await fence(nodes[0], a, b, c)
