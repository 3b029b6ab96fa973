"""A node that has just started waits with its questions until it knows who is there, on every bus."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

import socketio_cluster
from socketio_cluster import ClientAnswer, NodeTimeout, PartialAnswer, SocketInfo
from tests.harness import Node, client, eventually, three_nodes
from tests.services.redis import RedisServer

QUICK = {"heartbeat": 0.5}


@contextlib.asynccontextmanager
async def newcomer(kind, bus_url, prefix):
    """A server that nobody has used yet, and what awaits one of its calls."""
    if kind == "asyncio":
        manager = socketio_cluster.ClusterManager(bus_url, prefix=prefix, **QUICK)
        try:
            yield socketio_cluster.AsyncServer(async_mode="asgi", client_manager=manager), _await
        finally:
            await manager.close()
    else:
        manager = socketio_cluster.SyncClusterManager(bus_url, prefix=prefix, **QUICK)
        try:
            yield socketio_cluster.Server(async_mode="threading", client_manager=manager), asyncio.to_thread
        finally:
            await asyncio.to_thread(manager.close)


async def _await(method, *args, **options):
    return await method(*args, **options)


async def first(kind, bus_url, prefix, calls):
    """The results of calls that a node makes at once, as its first, by the name of the method."""
    async with newcomer(kind, bus_url, prefix) as (sio, call):
        asked = [call(getattr(sio, name), *arguments) for name, arguments in calls.items()]
        return dict(zip(calls, await asyncio.gather(*asked), strict=True))


@pytest.mark.parametrize("kind", ["asyncio", "threads"])
async def test_each_call_is_the_first(bus_url, prefix, kind):
    """Whatever a node is asked first, all nodes that were there before answer."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        heard = []
        for node in nodes:
            node.sio.on_server("health", lambda: "fine")
            node.sio.on_server("reload", heard.append)
        async with client(nodes[0]) as a, client(nodes[1]) as b:
            both = [a.sid, b.sid]
            assert await nodes[0].sio.sockets_join(["blue", "red"]) == 2
            found = await first(
                kind,
                bus_url,
                prefix,
                {
                    "count": (),
                    "fetch_sockets": ("blue",),
                    "fetch_rooms": (),
                    "rooms_of": (b.sid,),
                    "sockets_join": ([7], both),
                    "emit_with_ack": ("ask", 1),
                    "server_side_emit": ("reload", 1),
                    "server_side_emit_with_ack": ("health",),
                },
            )
            assert {one.sid for one in found.pop("fetch_sockets")} == set(both)
            assert found.pop("fetch_rooms").items() >= {("blue", 2), ("red", 2)}
            assert found.pop("rooms_of") >= {"blue", "red"}
            assert sorted(found.pop("emit_with_ack")) == sorted(ClientAnswer(sid, 1) for sid in both)
            health = {node.manager.node_id: "fine" for node in nodes}
            rest = {"count": 2, "sockets_join": 2, "server_side_emit": None}
            assert found == {**rest, "server_side_emit_with_ack": health}
            await eventually(lambda: heard == [1, 1])
            calls = {"sockets_leave": ("red",), "close_room": ("blue",), "rooms_of": (a.sid,)}
            assert (await first(kind, bus_url, prefix, calls))["sockets_leave"] == 2
            assert await nodes[0].sio.fetch_rooms() == {7: 2}
            assert await first(kind, bus_url, prefix, {"disconnect_sockets": (7,)}) == {
                "disconnect_sockets": 2
            }


@pytest.fixture
def own_redis(tmp_path):
    with RedisServer(tmp_path) as server:
        yield server


async def test_the_bus_is_away(own_redis, prefix):
    """Without the bus no call gives a short answer: each says so in time, with this node's own clients."""
    own_redis.stop()
    node = Node(own_redis.url, prefix, **QUICK)
    await node.start()  # this waits for the bus as long as its first client does
    try:
        node.sio.on_server("health", lambda: "fine")
        async with client(node) as one:
            everybody = node.sio.of("/").timeout(0.3)
            calls = [
                (everybody.count, 1),
                (lambda: everybody.fetch_sockets(session=False), [one.sid]),
                (lambda: everybody.emit_with_ack("ask", 1), [ClientAnswer(one.sid, 1)]),
                (lambda: everybody.sockets_join("red"), 1),
                (lambda: everybody.sockets_leave("blue"), 1),
                (lambda: node.sio.fetch_rooms(timeout=0.3), {"red": 1}),
                (lambda: node.sio.rooms_of("A" * 20, timeout=0.3), None),
                (lambda: node.sio.server_side_emit_with_ack("health", timeout=0.3), {}),
                (everybody.disconnect_sockets, 1),
            ]
            for ask, expected in calls:
                with pytest.raises(PartialAnswer, match="the bus was not reached within 0.3 s") as caught:
                    await ask()
                answer, error = caught.value.answer, caught.value
                if isinstance(answer, list) and isinstance(answer[0], SocketInfo):
                    answer = [each.sid for each in answer]
                assert (answer, error.missing, error.failures, error.away) == (expected, set(), {}, True)
    finally:
        await node.stop()


async def test_rooms_without_the_bus(own_redis, prefix):
    """What concerns clients of other nodes is an error while the bus is away, and not done in silence."""
    own_redis.stop()
    async with three_nodes(own_redis.url, prefix, count=1, settled=False, request_seconds=0.3) as [node]:
        for call in (
            node.sio.close_room("red"),
            node.sio.enter_room("A" * 20, "red"),
            node.sio.leave_room("A" * 20, "red"),
            node.sio.disconnect("A" * 20),
        ):
            with pytest.raises(NodeTimeout, match="the bus is away"):
                await call


async def test_what_needs_no_other_node(own_redis, prefix):
    """Questions about this node and its clients are answered at once, without the bus."""
    own_redis.stop()
    async with three_nodes(own_redis.url, prefix, count=1, settled=False, request_seconds=600) as [node]:
        async with client(node) as one:
            async with asyncio.timeout(60):
                assert await node.sio.rooms_of(one.sid) == set()
                assert await node.sio.count(local=True) == 1
                with pytest.raises(ValueError, match="not connected"):
                    await node.sio.rooms_of("nobody")
