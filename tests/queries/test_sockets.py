"""Who is where: one node asks all, on every bus."""

from __future__ import annotations

import asyncio
import time

import pytest
import socketio

import socketio_cluster
from socketio_cluster import PartialAnswer, SettingError, SocketInfo
from tests.harness import client, eventually


async def test_fetch_sockets(nodes, connect):
    """Each client is described once, with what its own node knows of it."""
    before = time.time()
    clients = [await connect(nodes[0]), await connect(nodes[1])]
    clients.append(await connect(nodes[2], transports=["polling"]))
    await nodes[0].sio.enter_room(clients[1].sid, "blue")
    await nodes[0].sio.enter_room(clients[1].sid, 7)
    await nodes[1].sio.save_session(clients[1].sid, {"user": 5, "key": b"\x00", "tags": ("a", "b")})
    sockets = {socket.sid: socket for socket in await nodes[0].sio.fetch_sockets()}
    assert sockets.keys() == {one.sid for one in clients}
    second = sockets[clients[1].sid]
    assert before <= second.connected_at <= time.time()
    assert second == SocketInfo(
        clients[1].sid,
        nodes[1].manager.node_id,
        "/",
        frozenset({"blue", 7}),
        second.connected_at,
        "127.0.0.1",
        "websocket",
        {"user": 5, "key": b"\x00", "tags": ["a", "b"]},
    )
    assert sockets[clients[2].sid].transport == "polling"
    assert sockets[clients[0].sid].session == {}


async def test_whom(nodes, connect):
    """Rooms add up, ``except_`` takes away, a sid is a room of one, and namespaces are apart."""
    a, b, c = [await connect(node) for node in nodes]
    elsewhere = await connect(nodes[0], namespace="/chat")
    for one, room in ((a, "red"), (b, "red"), (b, "blue"), (c, "blue"), (c, 7)):
        await nodes[2].sio.enter_room(one.sid, room)
    cases = [
        (("red",), {}, {a, b}),
        ((["red", "blue"],), {}, {a, b, c}),
        ((["red", "blue"],), {"except_": "red"}, {c}),
        ((), {"except_": ["red", 7]}, set()),
        (("7",), {}, set()),
        ((7,), {}, {c}),
        ((b.sid,), {}, {b}),
        (([a.sid, "blue"],), {"except_": b.sid}, {a, c}),
        ((), {"namespace": "/chat"}, {elsewhere}),
        (("red",), {"namespace": "/chat"}, set()),
        ((), {"namespace": "/none"}, set()),
        (("red",), {"local": True}, {b}),
    ]
    for args, options, expected in cases:
        found = await nodes[1].sio.fetch_sockets(*args, **options)
        assert sorted(one.sid for one in found) == sorted(one.sid for one in expected), (args, options)
        assert await nodes[1].manager.count(*args, **options) == len(expected), (args, options)


async def test_rooms(nodes, connect):
    """``fetch_rooms`` adds up the nodes' rooms, and ``rooms_of`` asks the client's node."""
    clients = [await connect(node) for node in nodes]
    for one in clients:
        await nodes[0].sio.enter_room(one.sid, "all")
    await nodes[0].sio.enter_room(clients[2].sid, 7)
    for node in nodes:
        assert await node.sio.fetch_rooms() == {"all": 3, 7: 1}
        assert await node.sio.rooms_of(clients[2].sid) == {"all", 7}
    assert await nodes[0].sio.fetch_rooms(local=True) == {"all": 1}
    assert await nodes[0].sio.fetch_rooms("/chat") == {}
    gone = clients[1].sid
    await clients[1].disconnect()
    await eventually(lambda: nodes[1].empty)
    for sid in (gone, "nobody", "A" * 20):
        with pytest.raises(ValueError, match="not connected"):
            await nodes[0].sio.rooms_of(sid)
    with pytest.raises(ValueError, match="not connected"):
        await nodes[0].sio.rooms_of(clients[2].sid, "/chat")


async def test_who_is_connecting_does_not_count(nodes):
    """A client whose connect handler has not accepted yet is not there for ``count``."""
    waiting, accept = asyncio.Event(), asyncio.Event()

    async def slow(sid, environ):
        waiting.set()
        await accept.wait()

    nodes[1].sio.on("connect", slow)

    async def visit():
        async with client(nodes[1]):
            return await nodes[0].sio.count()

    visitor = asyncio.create_task(visit())
    await waiting.wait()
    assert await nodes[0].sio.count() == 0
    assert await nodes[0].sio.fetch_sockets() == []
    accept.set()
    assert await visitor == 1


async def test_many_come_in_pieces(nodes, connect, monkeypatch):
    """A long answer is several pieces on the bus, each of a bounded size, and nothing of it is missing."""
    clients = [await connect(nodes[1]) for _ in range(8)]
    for one in clients:
        await nodes[1].sio.save_session(one.sid, {"text": "x" * 20_000})
    sockets = await nodes[0].sio.fetch_sockets()
    assert sorted(one.sid for one in sockets) == sorted(one.sid for one in clients)
    pieces = nodes[1].manager.stats.published["Finding"]
    assert pieces == 4 + 1
    assert await nodes[0].sio.count() == 8
    assert nodes[1].manager.stats.published["Finding"] == pieces + 1


async def test_session_that_cannot_be_sent(nodes, connect):
    """A session that cannot be packed is an error that names its client and carries those of other nodes."""
    clients = [await connect(node) for node in nodes]
    await nodes[1].sio.save_session(clients[1].sid, {"lock": asyncio.Lock()})
    for node in nodes:
        with pytest.raises(PartialAnswer, match=f"client {clients[1].sid} cannot be sent") as caught:
            await node.sio.fetch_sockets()
        assert {one.sid for one in caught.value.answer} == {clients[0].sid, clients[2].sid}
        assert list(caught.value.failures) == [nodes[1].manager.node_id]
        assert not caught.value.missing
        assert len(await node.sio.fetch_sockets(session=False)) == 3


async def test_bad_input(nodes):
    """What cannot be asked is refused at once, whoever asks."""
    for timeout in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            await nodes[0].sio.count(timeout=timeout)
    for wrong, error in ((1.5, TypeError), ("\ud800", ValueError), (2**64, ValueError)):
        with pytest.raises(error):
            await nodes[0].sio.count(wrong)
        with pytest.raises(error):
            await nodes[0].sio.fetch_sockets(except_=wrong)
    assert len(nodes[0].manager.queries) == 0


async def test_alone(prefix):
    """A server without a bus answers its own questions."""
    manager = socketio_cluster.ClusterManager(None, prefix=prefix)
    sio = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=manager)
    assert await sio.count() == 0
    assert await sio.fetch_rooms() == {}
    with pytest.raises(ValueError, match="not connected"):
        await sio.rooms_of("nobody")
    await manager.close()


async def test_another_manager():
    """With a manager of another kind the server says what is missing."""
    sio = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=socketio.AsyncManager())
    with pytest.raises(SettingError, match="use a ClusterManager"):
        await sio.count()
