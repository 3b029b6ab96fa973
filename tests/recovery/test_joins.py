"""What the bus knows of a client's rooms when a join has returned."""

from __future__ import annotations

import asyncio

import pytest

from tests.harness import client as open_client
from tests.recovery.clients import came_back, fence, left, renew, take


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_joins_at_the_same_time(nodes, connect, monkeypatch):
    """Each returns when the bus knows its room, also if another one tells the bus of both."""
    a, _, _ = nodes
    client = await connect()
    keeper = a.manager.recovery.keeper
    change, go_on = keeper.change, asyncio.Event()

    async def slow(question):
        await go_on.wait()
        return await change(question)

    monkeypatch.setattr(keeper, "change", slow)
    rooms = ["red", "blue", "green"]
    joins = [asyncio.create_task(a.sio.enter_room(client.sid, room)) for room in rooms]
    done, _ = await asyncio.wait(joins, timeout=0.3)
    assert not done
    go_on.set()
    await asyncio.gather(*joins)


async def test_written_anew(nodes, door, connect):
    """A room that was joined after it was closed is kept when the bus has to be told of everything again."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    await b.sio.close_room("red")
    await a.sio.enter_room(sid, "red")
    a.manager.members.clients[sid].session.lost = True
    await renew(a)
    door.cut()
    await left(a, sid)
    await b.sio.emit("n", 1, room="red")
    door.lead(b)
    assert await came_back(client) is True
    assert set(b.sio.rooms(sid)) == {sid, "red"}
    await take(client, "n", 1)
    await fence(b, client)


async def test_entered_again_as_it_comes_back(nodes, door, connect):
    """A connect handler that lets everybody into a room takes nothing from a client that was in it."""
    a, b, _ = nodes
    for node in nodes:

        async def connected(sid, environ, auth, node=node):
            await node.sio.enter_room(sid, "red")

        node.sio.on("connect", connected)
    async with open_client(b):
        client = await connect()
        sid = client.sid
        door.cut()
        await left(a, sid)
        for number in range(2):
            await b.sio.emit("n", number, room="red")
        door.lead(b)
        assert await came_back(client) is True
        for number in range(2):
            await take(client, "n", number)
        await fence(b, client)


async def away_in_red(node, door, connect):
    """A client that was in the room ``red`` on a node, and is away."""
    client = await connect()
    await node.sio.enter_room(client.sid, "red")
    door.cut()
    await left(node, client.sid)
    return client


async def test_entered_again_while_away(nodes, door, connect):
    """A client that is away and is let into its room again still gets what it had missed there."""
    a, b, _ = nodes
    client = await away_in_red(a, door, connect)
    sid = client.sid
    await b.sio.emit("n", 1, room="red")
    await b.sio.enter_room(sid, "red")
    await b.sio.emit("n", 2, room="red")
    door.lead(b)
    assert await came_back(client) is True
    await take(client, "n", 1)
    await take(client, "n", 2)
    await fence(b, client)


async def test_entered_again_after_it_was_closed(nodes, door, connect):
    """A client that is away and enters a room that was closed gets what is emitted after that."""
    a, b, _ = nodes
    client = await away_in_red(a, door, connect)
    sid = client.sid
    await b.sio.close_room("red")
    await b.sio.emit("n", 1, room="red")
    await b.sio.enter_room(sid, "red")
    await b.sio.emit("n", 2, room="red")
    door.lead(b)
    assert await came_back(client) is True
    await take(client, "n", 2)
    await fence(b, client)


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_comes_back_while_it_is_put_in(nodes, door, connect, monkeypatch):
    """A client that comes to another node while its former one does what ``sockets_join`` asks for is in."""
    a, b, c = nodes
    client = await connect()
    sid = client.sid
    subscribe = a.manager.node.subscribe

    async def slow(channel):
        door.forsake(c)
        assert await came_back(client) is True
        await subscribe(channel)

    monkeypatch.setattr(a.manager.node, "subscribe", slow)
    assert await b.manager.sockets_join("red", sid) == 1
    assert set(c.sio.rooms(sid)) == {sid, "red"}
    await b.sio.emit("n", 1, room="red")
    await take(client, "n", 1)
    await fence(b, client)
