"""Rooms and disconnects work for a client of any node, and are done when the call returns."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster import ClientGone
from tests.harness import SECONDS, eventually, fence


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
async def test_enter_and_leave(nodes, connect, home):
    """An emit on a third node sees a join or a leave made on another, as soon as that has returned."""
    one = await connect(nodes[home])
    for number in range(10):
        await nodes[0].sio.enter_room(one.sid, "blue")
        await nodes[2].sio.emit("in", number, room="blue")
        assert await one.next("in") == [number]
        assert "blue" in nodes[home].sio.rooms(one.sid)
        await nodes[0].sio.leave_room(one.sid, "blue")
        await nodes[2].sio.emit("out", number, room="blue")
        await fence(nodes[2], one)
        assert nodes[home].sio.rooms(one.sid) == [one.sid]


async def test_leave_and_enter_again(nodes, connect):
    """A room entered again is in effect, however far its giving up on the bus has come meanwhile."""
    one = await connect(nodes[1])
    await nodes[1].sio.enter_room(one.sid, "blue")
    for number in range(40):
        await nodes[1].sio.leave_room(one.sid, "blue")
        for _ in range(number % 10):
            await asyncio.sleep(0)
        await nodes[1].sio.enter_room(one.sid, "blue")
        await nodes[2].sio.emit("in", number, room="blue")
        assert await one.next("in") == [number]


async def test_close_room(nodes, connect):
    """An emit on any node finds a closed room empty, as soon as ``close_room`` has returned."""
    clients = [await connect(node) for node in nodes]
    for one in clients:
        await nodes[0].sio.enter_room(one.sid, "blue")
        await nodes[0].sio.enter_room(one.sid, "red")
    await nodes[1].sio.close_room("blue")
    for node in nodes:
        await node.sio.emit("blue", room="blue")
        await fence(node, *clients)
    await nodes[2].sio.emit("red", room="red")
    for one in clients:
        assert await one.next("red") == []


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
async def test_disconnect(nodes, connect_any, home):
    """A client disconnected from any node is gone, and its handler knew why, when the call returns."""
    one, other = await connect_any(nodes[home]), await connect_any(nodes[home])
    sid = one.sid
    await nodes[0].sio.enter_room(sid, "blue")
    await nodes[0].sio.disconnect(sid)
    assert ("disconnect", sid, "server disconnect") in nodes[home].log
    assert sid not in {member for member, _ in nodes[home].manager.get_participants("/", None)}
    await nodes[2].sio.emit("late", room=["blue", sid, other.sid])
    assert await other.next("late") == []
    await eventually(one.gone.is_set)
    assert one.events.empty()
    assert one.reason in ("server disconnect", "io server disconnect")


async def test_disconnect_from_one_namespace(nodes, connect):
    """A sid is disconnected only by its own namespace's name."""
    one = await connect(nodes[1], namespace="/chat")
    await nodes[0].sio.disconnect(one.sid)
    await fence(nodes[0], one, namespace="/chat")
    await nodes[0].sio.disconnect(one.sid, namespace="/chat")
    await eventually(one.gone.is_set)


async def test_unknown_sid(nodes, connect):
    """For an unknown sid enter_room raises ValueError; leave_room and disconnect do nothing."""
    gone = [await connect(nodes[0]), await connect(nodes[1])]
    sids = [one.sid for one in gone]
    for node, one in zip(nodes, gone, strict=False):
        await one.disconnect()
        await eventually(lambda node=node: node.empty)
    sio, wrong = nodes[0].sio, []

    async def enter(sid):
        with pytest.raises(ValueError):
            await sio.enter_room(sid, "blue")
        wrong.append(sid)

    sids += ["nobody", "AAAAAAAAAAAAAAAAAAAA"]
    for sid in sids:
        await asyncio.gather(enter(sid), sio.leave_room(sid, "blue"), sio.disconnect(sid))
    assert wrong == sids
    assert all(node.empty for node in nodes)


async def test_sid_of_another_namespace(nodes, connect):
    """A sid counts only in its own namespace."""
    one = await connect(nodes[1], namespace="/chat")
    with pytest.raises(ValueError):
        await nodes[0].sio.enter_room(one.sid, "blue")


@pytest.mark.parametrize("member", [0, 1], ids=["local-member", "remote-member"])
@pytest.mark.parametrize("victim", [0, 2], ids=["local-victim", "remote-victim"])
async def test_sid_rooms_are_private(nodes, connect, member, victim):
    """Nobody can be put into another client's own room, nor close it, on whichever nodes they are."""
    spy, target = await connect(nodes[member]), await connect(nodes[victim])
    with pytest.raises(ValueError):
        await nodes[0].sio.enter_room(spy.sid, target.sid)
    with pytest.raises(ValueError):
        await nodes[0].sio.close_room(target.sid)
    await nodes[1].sio.emit("secret", to=target.sid)
    assert await target.next("secret") == []
    await fence(nodes[1], spy, target)


async def test_join_in_the_connect_handler(nodes, connect):
    """A room entered in the connect handler is in effect on all nodes when the client is connected."""

    async def join(sid, environ):
        await nodes[1].sio.enter_room(sid, "blue")

    nodes[1].sio.on("connect", join)
    for number in range(5):
        one = await connect(nodes[1])
        await nodes[0].sio.emit("hello", number, to="blue")
        assert await one.next("hello") == [number]
        await one.disconnect()


async def test_rooms_end_with_their_client(nodes, connect):
    """A client that leaves is out of all its rooms; nothing of it is left on its node."""
    one = await connect(nodes[1])
    for room in ("blue", "red", 7):
        await nodes[0].sio.enter_room(one.sid, room)
    assert set(nodes[1].sio.rooms(one.sid)) == {one.sid, "blue", "red", 7}
    await one.disconnect()
    await eventually(lambda: nodes[1].empty)


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
@pytest.mark.parametrize("room", ["tea \ud800", 2**64], ids=["no-utf8", "too-big"])
async def test_room_that_no_bus_carries(nodes, connect, home, room):
    """A name that no bus can carry is refused, whatever it is for, and the node stays on the bus."""
    one = await connect(nodes[home])
    sio = nodes[0].sio
    for act in (sio.enter_room(one.sid, room), sio.leave_room(one.sid, room), sio.close_room(room)):
        with pytest.raises(ValueError, match="UTF-8|64 bits"):
            await act
    for rooms in (room, ["tea", room]):
        with pytest.raises(ValueError, match="UTF-8|64 bits"):
            await sio.emit("never", room=rooms)
    assert nodes[home].sio.rooms(one.sid) == [one.sid]
    await sio.enter_room(one.sid, "tea")
    await nodes[2].sio.emit("in", room="tea")
    assert await one.next("in") == []
    await fence(nodes[2], one)


async def test_sid_that_is_none(nodes, connect):
    """A sid that no client can have is refused or nobody, and the nodes go on."""
    one = await connect(nodes[0])
    for sid in ("\ud800", "x" * 19 + "\ud800"):
        for call in (nodes[0].sio.disconnect(sid), nodes[0].sio.enter_room(sid, "tea")):
            with contextlib.suppress(ValueError):
                await call
        with pytest.raises(ValueError, match="UTF-8"):
            await nodes[0].sio.emit("never", to=sid)
    await nodes[1].sio.emit("all")
    assert await one.next("all") == []
    await nodes[0].sio.emit("to", to=one.sid)
    assert await one.next("to") == []


@pytest.fixture(params=["a sid of another namespace", "a client that has gone", "a name of that form"])
async def odd_name(request, nodes, connect):
    """The name of a room that looks like a sid of the second node, and is none of this namespace."""
    if request.param == "a name of that form":
        return nodes[1].manager.node_id + "-meeting-one"
    if request.param == "a sid of another namespace":
        return (await connect(nodes[1], namespace="/chat")).sid
    one = await connect(nodes[1])
    sid = one.sid
    await one.disconnect()
    await eventually(lambda: nodes[1].empty)
    return sid


async def test_rooms_named_like_sids(nodes, connect, odd_name):
    """A room may be named like a sid that is no client here: it has its members on all nodes, once each."""
    members = [await connect(node) for node in nodes]
    other = await connect(nodes[2])
    for one, by in zip(members, (nodes[2], *nodes), strict=False):
        await by.sio.enter_room(one.sid, odd_name)
    await nodes[2].sio.enter_room(members[2].sid, "blue")
    await nodes[2].sio.enter_room(other.sid, "blue")
    for number, node in enumerate(nodes):
        await node.sio.emit("one", number, room=odd_name, skip_sid=other.sid)
        await node.sio.emit("list", number, room=[odd_name, "blue", members[0].sid, members[1].sid])
        for one in members:
            assert {(await one.next_any())[0] for _ in range(2)} == {"one", "list"}
            assert one.events.empty()
        assert await other.next("list") == [number]
    await nodes[0].sio.emit("asked", to=odd_name, callback=print)
    for one in members:
        assert await one.next("asked") == []
    await nodes[0].sio.close_room(odd_name)
    for node in nodes:
        await node.sio.emit("never", room=odd_name)
        await fence(node, *members, other)


async def test_call_to_clients_that_have_gone(nodes, connect):
    """``call`` to a client that has left, of this or another node, ends at once."""
    clients = [await connect(node) for node in nodes[:2]]
    sids = [one.sid for one in clients]
    for one, node in zip(clients, nodes, strict=False):
        await one.disconnect()
        await eventually(lambda node=node: node.empty)
    for sid in sids:
        with pytest.raises(ClientGone):
            await nodes[0].sio.call("ask", to=sid, timeout=SECONDS)


async def test_a_room_named_like_a_sid_in_a_long_list(nodes, connect):
    """In a list of many rooms too, though the node that the name is of has no clients itself."""
    name = nodes[1].manager.node_id + "-meeting-one"
    here, there = await connect(nodes[0]), await connect(nodes[2])
    await nodes[2].sio.enter_room(there.sid, name)
    await nodes[0].sio.emit("n", 1, room=[name, *(f"room {number}" for number in range(100))])
    assert await there.next("n") == [1]
    await fence(nodes[0], here, there)


async def test_rooms_named_like_sids_of_several_nodes(nodes, connect):
    """Who is in several rooms named like sids of different nodes gets what is for all of them once."""
    clients = [await connect(node) for node in nodes]
    names = [node.manager.node_id + "-meeting-one" for node in nodes]
    for one in clients:
        for name in names:
            await nodes[0].sio.enter_room(one.sid, name)
    for node in nodes:
        for rooms in (names[:2], names[1:], [names[2], names[0]], names):
            await node.sio.emit("n", rooms, room=rooms)
            for one in clients:
                assert await one.next("n") == [rooms]
    for node in nodes:  # whoever passes an event on does so after those that it has sent before
        for name in names:
            await node.sio.emit("last", name, room=name)
    for one in clients:
        assert [(await one.next_any())[0] for _ in range(9)] == ["last"] * 9
