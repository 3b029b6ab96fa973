"""A client of the official JavaScript library that comes back has missed nothing, on whatever node."""

from __future__ import annotations

import pytest

from tests.recovery.clients import came_back, left, take


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
async def test_comes_back_to_another_node(nodes, door, connect, transports):
    """It has its sid, its rooms and its session again, and gets what it missed, in order, before the rest."""
    a, b, _ = nodes
    client = await connect(transports=transports)
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    await a.sio.save_session(sid, {"name": "Ann"})
    await b.sio.emit("first", 1)
    await take(client, "first", 1)
    door.cut()
    if transports == ["websocket"]:  # otherwise the old node does not notice
        await left(a, sid)
    await b.sio.emit("all", {"n": 2})
    await b.sio.emit("room", 3, room="red")
    await b.sio.emit("other", 4, room="blue")
    await b.sio.emit("mine", 5, to=sid)
    await b.sio.emit("skipped", 6, skip_sid=sid)
    await b.sio.emit("list", 7, room=["blue", "red"])
    door.lead(b)
    assert await came_back(client) is True
    assert client.sid == sid
    for event, n in (("all", {"n": 2}), ("room", 3), ("mine", 5), ("list", 7)):
        await take(client, event, n)
    assert b.manager.recovered(sid)
    assert set(b.sio.rooms(sid)) == {sid, "red"}
    assert await b.sio.get_session(sid) == {"name": "Ann"}
    for node in nodes:
        await node.sio.emit("again", 8, room="red")
        await take(client, "again", 8)
        await node.sio.emit("again", 9, to=sid)
        await take(client, "again", 9)
    assert client.events.empty()


async def test_before_its_first_event(nodes, door, connect):
    """A client that never had an event when it was cut off is recovered too."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    door.cut()
    await left(a, sid)
    await b.sio.emit("missed", 1)
    door.lead(b)
    assert await came_back(client) is True
    await take(client, "missed", 1)
    assert client.events.empty()


async def test_again_and_again(nodes, door, connect):
    """It may be cut off ten times in a row, with an event while it is away each time."""
    client = await connect()
    sid = client.sid
    for n in range(10):
        door.cut()
        await nodes[2].sio.emit("missed", n, to=sid)
        door.lead(nodes[n % 3])
        assert await came_back(client) is True
        assert client.sid == sid
        await take(client, "missed", n)
    assert client.events.empty()


async def test_its_old_node_does_not_notice(nodes, door, connect):
    """A half-open connection is ended when its client has come back elsewhere, and does no harm."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    door.forsake(b)
    await b.sio.emit("missed", 1, room="red")
    assert await came_back(client) is True
    await take(client, "missed", 1)
    await left(a, sid)
    await a.sio.emit("now", 2, room="red")
    await take(client, "now", 2)
    assert a.log[-1] == ("disconnect", sid, "transport close")


async def test_an_invented_id(nodes, door, driver):
    """A pid that nobody gave out gets a new session."""
    async with driver.client(nodes[0], auth={"pid": "x" * 40}) as client:
        assert await client.connects.get() is False
    assert nodes[0].manager.stats.recoveries["unknown"] == 1
