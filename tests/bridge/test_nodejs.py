"""Clients of our nodes and of Node.js's servers are one cluster, with a bridge between them."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.bridge.nodejs import node_bridge, node_servers
from tests.harness import client, eventually, three_nodes


class Both:
    """The two clusters: our two nodes, Node.js's two servers, and a client on each of the four."""

    def __init__(self, nodes, servers, bridge):
        self.nodes = nodes
        self.servers = servers
        self.bridge = bridge

    @contextlib.asynccontextmanager
    async def clients(self, namespace="/"):
        async with contextlib.AsyncExitStack() as stack:
            places = [*self.nodes, *self.servers.all]
            yield [await stack.enter_async_context(client(each, namespace=namespace)) for each in places]


@pytest.fixture(params=["classic", "sharded"])
async def both(request, no_listening, redis_url, prefix):
    key = f"sio-{prefix}"
    async with contextlib.AsyncExitStack() as stack:
        nodes = await stack.enter_async_context(three_nodes(redis_url, prefix, count=2))
        servers = await stack.enter_async_context(node_servers(redis_url, request.param, key))
        bridge = node_bridge(redis_url, prefix, redis_url, request.param, key)
        await bridge.start()
        stack.push_async_callback(bridge.close)
        await eventually(lambda: all(bridge.manager.node_id in node.manager.node.bridges for node in nodes))
        await eventually(lambda: bridge.works)
        yield Both(nodes, servers, bridge)


async def fence(both, clients):
    """Check that no client was sent anything more, by any server, than it has taken."""
    for number, node in enumerate(both.nodes):
        await node.sio.emit("fence", number)
        for one in clients:
            assert await one.next("fence") == [number]
    for number in range(2):
        await both.servers.run(f"servers[{number}].io.emit('fence', {number})")
        for one in clients:
            assert await one.next("fence") == [number]


async def test_emits(both):
    """An emit of either side reaches each client once: to all, to rooms, to a sid, but for rooms and sids."""
    async with both.clients() as clients:
        ours, theirs = clients[:2], clients[2:]
        await both.nodes[0].sio.emit("news", ({"price": 3}, "ü", None, 1.5, b"\0\xff"))
        await both.servers.run(
            "servers[0].io.emit('news', {price: 3}, 'ü', null, 1.5, Buffer.from([0, 255]))"
        )
        for one in clients:
            for _ in range(2):
                assert await one.next("news") == [{"price": 3}, "ü", None, 1.5, b"\0\xff"]
        await fence(both, clients)
