"""What a process without clients can do, on every bus, blocking and not."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import AsyncEmitter
from tests.harness import client, fence
from tests.nodes.test_emit import PAYLOADS

SECRET = "correct horse battery staple"


async def test_everyone(emitter, nodes, clients):
    """An emit without a room reaches every client of the namespace once, and nobody of another."""
    async with client(nodes[1], namespace="/chat") as chat:
        await emitter.emit("news", 1)
        await emitter.emit("news", 2, namespace="/chat")
        for one in clients:
            assert await one.next("news") == [1]
        assert await chat.next("news") == [2]
        await fence(nodes[0], *clients)
        await fence(nodes[0], chat, namespace="/chat")


async def test_rooms(emitter, nodes, clients):
    """An emit to a room, a list of rooms or a sid reaches each member of them once."""
    for one, node, room in zip(clients, nodes, ["red", "blue", "blue"], strict=True):
        await node.sio.enter_room(one.sid, room)
    await emitter.emit("to", 1, room="blue")
    await emitter.emit("to", 2, to=["red", "blue", clients[1].sid])
    await emitter.emit("to", 3, to=clients[0].sid)
    assert [await clients[0].next("to") for _ in range(2)] == [[2], [3]]
    for one in clients[1:]:
        assert [await one.next("to") for _ in range(2)] == [[1], [2]]
    await fence(nodes[0], *clients)


async def test_skip_sid(emitter, nodes, clients):
    """Those named by skip_sid, one or a list, get nothing."""
    await emitter.emit("some", 1, skip_sid=clients[2].sid)
    await emitter.emit("some", 2, skip_sid=[clients[1].sid, clients[2].sid])
    assert [await clients[0].next("some") for _ in range(2)] == [[1], [2]]
    assert await clients[1].next("some") == [1]
    await fence(nodes[0], *clients)


async def test_send(emitter, nodes, clients):
    """``send`` is an emit of the event message."""
    await emitter.send({"a": b"\x00"}, to=clients[1].sid)
    assert await clients[1].next("message") == [{"a": b"\x00"}]
    await fence(nodes[0], *clients)


@pytest.mark.parametrize("options", [{}, {"serializer": "msgpack"}], ids=["json", "msgpack"])
async def test_payloads(emitter, clients):
    """Text, bytes, lists, several arguments, nothing and nested bytes arrive as they were."""
    for data, expected in PAYLOADS:
        await emitter.emit("data", data)
        for one in clients:
            assert await one.next("data") == expected


async def test_order(emitter, clients):
    """What is emitted in turn arrives in turn, to whomever."""
    for number in range(200):
        await emitter.emit("n", number, to=clients[1].sid if number % 2 else None)
    assert [await clients[1].next("n") for _ in range(200)] == [[number] for number in range(200)]
    assert [await clients[2].next("n") for _ in range(100)] == [[number] for number in range(0, 200, 2)]


async def test_enter_and_leave_room(emitter, nodes, clients):
    """When enter_room or leave_room has returned, an emit on any node sees it."""
    for number, node in enumerate(nodes):
        await emitter.enter_room(clients[1].sid, "red")
        await node.sio.emit("in", number, room="red")
        assert await clients[1].next("in") == [number]
        await emitter.leave_room(clients[1].sid, "red")
        await node.sio.emit("out", room="red")
        await fence(node, *clients)
    await emitter.enter_room(clients[1].sid, 7)
    await emitter.emit("in", room=7)
    assert await clients[1].next("in") == []


async def test_rooms_of_a_namespace(emitter, nodes):
    """The namespace counts for every method."""
    async with client(nodes[2], namespace="/chat") as chat:
        await emitter.enter_room(chat.sid, "red", namespace="/chat")
        await emitter.emit("in", room="red", namespace="/chat")
        await emitter.send("in", room="red", namespace="/chat")
        assert await chat.next("in") == []
        assert await chat.next("message") == ["in"]
        await emitter.leave_room(chat.sid, "red", namespace="/chat")
        await emitter.emit("out", room="red", namespace="/chat")
        await fence(nodes[0], chat, namespace="/chat")
        await emitter.disconnect(chat.sid, namespace="/chat")
        await asyncio.wait_for(chat.gone.wait(), 5)


async def test_close_room(emitter, nodes, clients):
    """When close_room has returned the room is empty on every node, and others are as they were."""
    for one, node in zip(clients, nodes, strict=True):
        await node.sio.enter_room(one.sid, "red")
        await node.sio.enter_room(one.sid, "blue")
    await emitter.close_room("red")
    assert [node.sio.rooms(one.sid) for one, node in zip(clients, nodes, strict=True)] == [
        [one.sid, "blue"] for one in clients
    ]


async def test_a_sid_room_stays(emitter, nodes, clients):
    """The room of a client is its own: nobody else enters it, and it cannot be closed."""
    with pytest.raises(ValueError, match="sid room"):
        await emitter.close_room(clients[0].sid)
    with pytest.raises(ValueError, match="sid room"):
        await emitter.enter_room(clients[0].sid, clients[1].sid)


async def test_disconnect(emitter, nodes, clients):
    """When disconnect has returned the client is gone and its handler has run."""
    sid = clients[2].sid
    await emitter.disconnect(sid)
    assert nodes[2].log[-1] == ("disconnect", sid, "server disconnect")
    await asyncio.wait_for(clients[2].gone.wait(), 5)
    await fence(nodes[0], *clients[:2])


async def test_unknown_sid(emitter, nodes, clients):
    """A sid that nobody has is a ValueError for enter_room and nothing for the others."""
    for sid in ("x" * 20, "nobody", nodes[1].manager.node_id + "x" * 12):
        with pytest.raises(ValueError, match="sid is not connected"):
            await emitter.enter_room(sid, "red")
        await emitter.leave_room(sid, "red")
        await emitter.disconnect(sid)
        await emitter.emit("you", to=sid)
    await fence(nodes[0], *clients)


async def test_wrong_arguments(emitter):
    """A room that is neither str nor int, and data that cannot be encoded, are a TypeError."""
    with pytest.raises(TypeError, match="a room is named by"):
        await emitter.enter_room("x" * 20, 1.5)
    with pytest.raises(TypeError, match="a room is named by"):
        await emitter.emit("bad", room=[1.5])
    with pytest.raises(TypeError, match="serializ"):
        await emitter.emit("bad", {1, 2})


@pytest.mark.parametrize("options", [{"secret": SECRET}], ids=[""])
async def test_secret(emitter, nodes, clients, bus_url, prefix):
    """With the cluster's secret an emitter is heard; without it, or with another one, it is not."""
    for wrong in ({}, {"secret": SECRET[::-1]}):
        async with AsyncEmitter(bus_url, prefix=prefix, **wrong) as stranger:
            await stranger.emit("bad")
    await emitter.emit("good")
    for one in clients:
        assert await one.next("good") == []
    await fence(nodes[0], *clients)
    # What a stranger says: hello, the event, bye.
    assert nodes[1].manager.stats.refused == {"unsigned": 3, "signature": 3}


async def test_is_no_node(emitter, nodes):
    """An emitter is not listed among the nodes, and nobody waits for it."""
    await emitter.close_room("nobody")
    assert all(set(node.manager.nodes()) == {one.manager.node_id for one in nodes} for node in nodes)


@pytest.mark.parametrize("nobody", [[], 0, ""], ids=repr)
async def test_only_none_is_everybody(emitter, nodes, clients, nobody):
    """An empty list of rooms is nobody, and 0 and "" are rooms."""
    await nodes[1].sio.enter_room(clients[1].sid, 0)
    await nodes[1].sio.enter_room(clients[1].sid, "")
    await emitter.emit("news", to=nobody)
    await emitter.send("news", room=nobody)
    if nobody != []:
        assert await clients[1].next("news") == []
        assert await clients[1].next("message") == ["news"]
    await emitter.emit("end")
    for one in clients:
        assert await one.next("end") == []


async def test_odd_skip_sid(emitter, nodes, clients):
    """What is no sid is refused where it is said."""
    with pytest.raises(TypeError, match="skip_sid"):
        await emitter.emit("news", skip_sid=[42])
    await emitter.emit("end")
    for one in clients:
        assert await one.next("end") == []


async def test_what_clients_refuse(emitter, nodes, clients):
    """What JavaScript clients would refuse raises, and nobody gets anything of it."""
    for wrong in (("connect",), ("many", [b"x"] * 11)):
        with pytest.raises(ValueError):
            await emitter.emit(*wrong)
    with pytest.raises(TypeError):
        await emitter.emit(None)
    await emitter.emit("end")
    for one in clients:
        assert await one.next("end") == []
