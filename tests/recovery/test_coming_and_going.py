"""What is done to a client that is just lost, or just coming back, or whose node is dead, is done."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus.store import Claim, Open
from socketio_cluster.manager.ids import new_sid
from socketio_cluster.manager.recovery.pid import digest
from tests.harness import SECONDS, eventually
from tests.recovery.clients import came_back, fence, left, take
from tests.recovery.slow_nodes import looks_again, slow_change, slow_claims, slow_order, slow_releases

pytestmark = pytest.mark.parametrize("bus_url", ["local"], indirect=True)


async def test_just_lost(nodes, door, connect, monkeypatch):
    """A client leaves its room also when its node has lost it and the bus does not know that yet."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    go_on = slow_releases(a, monkeypatch)
    door.cut()
    await left(a, sid)
    await b.sio.emit("n", 1, room="red")
    again = looks_again(b, monkeypatch)
    leaving = asyncio.create_task(b.sio.leave_room(sid, "red"))
    await asyncio.wait_for(again.wait(), SECONDS)
    assert not leaving.done()
    go_on.set()
    await leaving
    await b.sio.emit("n", 2, room="red")
    door.lead(b)
    assert await came_back(client) is True
    await take(client, "n", 1)
    await fence(b, client)
    assert b.sio.rooms(sid) == [sid]


async def test_just_coming_back(nodes, door, connect, monkeypatch):
    """A client leaves its room also when the node that has claimed it has not got it yet."""
    a, b, c = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    door.cut()
    await left(a, sid)
    await c.sio.emit("n", 1, room="red")
    claimed, go_on = slow_claims(b, monkeypatch)
    door.lead(b)
    await claimed.wait()
    again = looks_again(c, monkeypatch)
    leaving = asyncio.create_task(c.sio.leave_room(sid, "red"))
    await asyncio.wait_for(again.wait(), SECONDS)
    assert not leaving.done()
    go_on.set()
    assert await came_back(client) is True
    await leaving
    await c.sio.emit("n", 2, room="red")
    await take(client, "n", 1)
    await fence(b, client)
    assert b.sio.rooms(sid) == [sid]


@pytest.mark.parametrize("asked", [0, 2])
@pytest.mark.parametrize("to", [0, 1])
async def test_taken_as_it_leaves(nodes, door, connect, monkeypatch, asked, to):
    """A client whose session is claimed while its old connection is taken out of a room leaves it there."""
    a, b = nodes[0], nodes[to]
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    leaves, go_on = slow_change(a, monkeypatch)
    door.forsake(None)
    leaving = asyncio.create_task(nodes[asked].sio.leave_room(sid, "red"))
    await leaves.wait()
    door.lead(b)
    assert await came_back(client) is True
    go_on.set()
    await leaving
    await nodes[asked].sio.emit("n", 1, room="red")
    await fence(b, client)
    await eventually(lambda: b.sio.rooms(sid) == [sid])


@pytest.mark.parametrize("asked", [0, 2])
@pytest.mark.parametrize("to", [0, 1])
async def test_taken_as_it_enters(nodes, door, connect, monkeypatch, asked, to):
    """A client whose session is claimed while its old connection is put into a room gets its events."""
    a, b = nodes[0], nodes[to]
    client = await connect()
    sid = client.sid
    enters, go_on = slow_change(a, monkeypatch)
    door.forsake(None)
    entering = asyncio.create_task(nodes[asked].sio.enter_room(sid, "red"))
    await enters.wait()
    door.lead(b)
    assert await came_back(client) is True
    go_on.set()
    await entering
    await nodes[asked].sio.emit("n", 1, room="red")
    await take(client, "n", 1)
    assert set(b.sio.rooms(sid)) == {sid, "red"}


async def test_moved_before_its_node_has_subscribed(nodes, door, connect, monkeypatch):
    """A client is moved while the node that it comes back to subscribes to its channels: that holds."""
    a, b, c = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    node = b.manager.node
    subscribe, go_on = node.subscribe, asyncio.Event()

    async def slow(channel):
        await go_on.wait()
        await subscribe(channel)

    monkeypatch.setattr(node, "subscribe", slow)
    door.cut(b)
    await eventually(lambda: b.manager.members.find(sid, "/"))
    await b.sio.leave_room(sid, "red")
    await b.sio.enter_room(sid, "green")
    await b.sio.emit("n", 1, room="green")
    go_on.set()
    assert await came_back(client) is True
    await take(client, "n", 1)
    for node in b, c:
        assert set(node.sio.rooms(sid)) == {sid, "green"}
        door.cut(c)
        assert await came_back(client) is True


async def test_a_dead_node(nodes):
    """A client whose node was killed is away: it can be taken out of rooms, let in and disconnected."""
    a, b, _ = nodes
    sid = new_sid("deadnode")
    keeper, channels = a.manager.recovery.keeper, a.manager.node.channels.rooms("/")
    await keeper.open(Open(sid, digest("pid"), "/", "deadnode", "claim", 60.0, rooms={"sred": 5, "sblue": 5}))
    await b.sio.leave_room(sid, "red")
    await b.sio.enter_room(sid, "green")
    claimed = await keeper.claim(Claim(sid, digest("pid"), "/", "deadnode", "claim", 60.0, channels))
    assert claimed.node == ""
    assert set(claimed.rooms) == {"sblue", "sgreen"}
    await b.sio.disconnect(sid)
    assert await keeper.where(sid, "/") is None


async def enters(node, sid):
    await node.sio.enter_room(sid, "green")
    assert set(node.sio.rooms(sid)) == {sid, "red", "green"}


async def leaves(node, sid):
    await node.sio.leave_room(sid, "red")
    assert set(node.sio.rooms(sid)) == {sid}


async def is_disconnected(node, sid):
    await node.sio.disconnect(sid)
    await left(node, sid)  # later, if it is still on its way in


@pytest.mark.parametrize("done", [enters, leaves, is_disconnected])
async def test_coming_back_to_the_node_that_asks(nodes, door, connect, monkeypatch, done):
    """What a node is told to do to a client that is just coming back to this same node is done."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    door.cut()
    await left(a, sid)
    claimed, go_on = slow_claims(b, monkeypatch)
    door.lead(b)
    await claimed.wait()
    again = looks_again(b, monkeypatch)
    doing = asyncio.create_task(done(b, sid))
    await asyncio.wait_for(again.wait(), SECONDS)
    assert not doing.done()
    go_on.set()
    assert await came_back(client) is True
    await doing


async def enters_green(node, sid):
    await node.sio.enter_room(sid, "green")


async def enters_green_with_history(node, sid):
    await node.manager.enter_room(sid, "/", "green", history=5)


async def leaves_red(node, sid):
    await node.sio.leave_room(sid, "red")


MOVES = {
    enters_green: {"red", "green"},
    enters_green_with_history: {"red", "green"},
    leaves_red: set(),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("at", [None, 0, 1])
async def test_lost_while_its_node_waits(nodes, door, connect, monkeypatch, move, at):
    """A client goes while its node waits for its own events, and may be at a node again: it still moves."""
    a = nodes[0]
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    waits, go_on = slow_order(a, monkeypatch)
    moving = asyncio.create_task(move(a, sid))
    await waits.wait()
    door.cut()
    await left(a, sid)
    if at is not None:
        door.lead(nodes[at])
        assert await came_back(client) is True
    go_on.set()
    await moving
    if at is None:
        door.lead(a)
        assert await came_back(client) is True
    assert set(nodes[at or 0].sio.rooms(sid)) == {sid, *MOVES[move]}
    door.cut(nodes[2])
    assert await came_back(client) is True
    assert set(nodes[2].sio.rooms(sid)) == {sid, *MOVES[move]}


async def test_disconnected_as_it_moves(nodes, door, connect, monkeypatch):
    """A client that comes to another node while its old one is to disconnect it is disconnected there."""
    a, b, _ = nodes
    client = await connect()
    waits, go_on = slow_order(a, monkeypatch)
    ending = asyncio.create_task(a.sio.disconnect(client.sid))
    await waits.wait()
    door.forsake(b)
    assert await came_back(client) is True
    go_on.set()
    await ending
    await asyncio.wait_for(client.gone.wait(), SECONDS)
    assert b.manager.members.find(client.sid, "/") is None
