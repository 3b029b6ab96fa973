"""Clients that enter a room late get the last events that were emitted to it."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import BrokerError, ClusterManager, SettingError
from socketio_cluster.cluster.server import AsyncServer
from tests.harness import three_nodes
from tests.recovery.clients import came_back, fence, left, strip, take


async def say(node, numbers, room="red", **options):
    for number in numbers:
        await node.sio.emit("n", number, room=room, **options)


async def numbers(client, count, *, knows=True):
    """The next numbers that a client gets."""
    found = [await client.next("n") for _ in range(count)]
    return [(strip(args) if knows else args)[0] for args in found]


async def written(node):
    """Return when what a node has emitted is on the bus; ``in_order`` alone waits for a second at most."""
    await node.manager.node.publisher.all_sent()
    await node.manager.in_order()


@pytest.mark.parametrize("knows", [True, False])
async def test_from_every_node(nodes, connect, knows):
    """It gets the last events, oldest first, whichever node asks, and newer ones behind them."""
    client = await connect(query={"recovery": int(knows)})
    for count, asked in enumerate(nodes, 2):
        room = f"room {count}"
        for number, node in enumerate(nodes):
            await say(node, [number], room)
            await written(node)
        await say(nodes[1], [3], "other")
        await say(nodes[1], [4], [room, "other"])
        await written(nodes[1])
        await asked.manager.enter_room(client.sid, "/", room, history=count)
        await asked.manager.enter_room(client.sid, "/", room, history=count)
        for node in nodes:
            await say(node, [5], room)
            await written(node)
        expected = [0, 1, 2, 4][-count:]
        assert await numbers(client, count + 3, knows=knows) == [*expected, 5, 5, 5]
    assert client.events.empty()


async def test_what_is_not_for_it(nodes, connect):
    """Events that left this client out do not count; others take their place."""
    a, b, _ = nodes
    client = await connect()
    await a.sio.enter_room(client.sid, "muted")
    await a.sio.save_session(client.sid, {"level": 3})
    await say(b, [1, 2])
    await say(b, range(10, 20), skip_sid=client.sid)
    await b.manager.to("red").except_("muted").emit("n", 20)
    await b.manager.to("red").except_(client.sid).emit("n", 21)
    await b.manager.to("red").where({"level": 4}).emit("n", 22)
    await b.manager.to("red").where({"level": 3}).emit("n", 3)
    await written(b)
    await a.manager.enter_room(client.sid, "/", "red", history=2)
    assert await numbers(client, 2) == [2, 3]
    await fence(a, client)


@pytest.mark.parametrize("knows", [True, False])
async def test_while_events_come(nodes, connect, knows):
    """While three nodes emit to the room it gets each event once, none out of order, and none is missing."""
    a, b, _ = nodes
    client = await connect(query={"recovery": int(knows)})
    go_on = True

    async def emit(node, first):
        number = first
        while go_on:
            await say(node, [number])
            await node.sio.emit("n", -1, to=client.sid)
            number += 1
            await asyncio.sleep(0)
        await written(node)
        return number

    async def heard():
        """What comes before the end of a turn; the next one begins behind it, whichever node made it."""
        while (args := await client.next("n"))[0] != -2:
            number = (strip(args) if knows else args)[0]
            if number >= 0:
                yield number

    emitting = [asyncio.create_task(emit(node, 1_000_000 * at)) for at, node in enumerate(nodes)]
    turns = []
    for turn in range(10):
        node = nodes[turn % 3]
        await a.sio.enter_room(client.sid, "blue")
        await node.manager.enter_room(client.sid, "/", "red", history=20)
        for _ in range(10):
            await asyncio.sleep(0)
        await node.sio.leave_room(client.sid, "red")
        await node.sio.emit("n", -2, to=client.sid)
        turns.append([number async for number in heard()])
    go_on = False
    await asyncio.gather(*emitting)
    await b.sio.emit("end", to=client.sid)
    for seen in turns:
        assert seen
        for at in range(3):
            mine = [number for number in seen if number // 1_000_000 == at]
            first = mine[0] if mine else 0
            assert mine == list(range(first, first + len(mine)))


async def test_in_the_connect_handler(nodes, driver):
    """A client that is put into a room before it is connected gets the history after its CONNECT packet."""
    a, b, _ = nodes

    @a.sio.event
    async def connect(sid, environ, auth):
        await a.manager.enter_room(sid, "/", "red", history=3)
        await b.sio.emit("n", 9, room="red")

    await say(b, range(5))
    await written(b)
    async with driver.client(a) as client:
        assert await numbers(client, 4) == [2, 3, 4, 9]
        await fence(b, client)


async def test_cut_off_afterwards(nodes, door, connect):
    """The history does not lead the client back: what it had before and the history do not come again."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await say(b, range(3))
    await b.sio.emit("all", 1)
    await take(client, "all", 1)
    await a.manager.enter_room(sid, "/", "red", history=2)
    assert await numbers(client, 2) == [1, 2]
    door.cut()
    await left(a, sid)
    await say(b, [3])
    door.lead(b)
    assert await came_back(client) is True
    assert await numbers(client, 1) == [3]
    await a.manager.enter_room(sid, "/", "red", history=2)
    await fence(a, client)


async def test_coming_back(nodes, door, connect):
    """A client that enters a new room when it comes back gets its history first, then what it missed."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid

    @b.sio.event
    async def connect(sid, environ, auth):
        await b.manager.enter_room(sid, "/", "red", history=3)
        await say(a, [6])
        await written(a)

    await b.sio.emit("all", 1)
    await take(client, "all", 1)
    door.cut()
    await left(a, sid)
    await say(b, range(5))
    await b.sio.emit("n", 5)
    await written(b)
    door.lead(b)
    assert await came_back(client) is True
    assert await numbers(client, 5) == [2, 3, 4, 5, 6]
    door.cut()
    await left(b, sid)
    await say(a, [7])
    door.lead(a)
    assert await came_back(client) is True
    assert await numbers(client, 1) == [7]
    await fence(a, client)


async def test_many_and_large(nodes, connect):
    """A thousand events are the most; of large ones as many as go into a mebibyte."""
    a, b, _ = nodes
    client = await connect()
    await say(b, range(1200))
    for number in range(20):
        await b.sio.emit("large", (number, "x" * 100_000), room="blue")
    await written(b)
    await a.manager.enter_room(client.sid, "/", "red", history=1000)
    assert await numbers(client, 1000) == list(range(200, 1200))
    await a.manager.enter_room(client.sid, "/", "blue", history=1000)
    assert [(await client.next("large"))[0] for _ in range(10)] == list(range(10, 20))
    await fence(a, client)


async def test_bad_numbers(nodes, connect):
    """A number of events that cannot be is an error, and the client does not enter the room."""
    a, b, _ = nodes
    client = await connect()
    for node in (a, b):
        for history in (-1, 1001):
            with pytest.raises(ValueError, match="0 to 1000"):
                await node.manager.enter_room(client.sid, "/", "red", history=history)
        with pytest.raises(TypeError, match="number of events"):
            await node.manager.enter_room(client.sid, "/", "red", history="50")
        with pytest.raises(ValueError, match="not connected"):
            await node.manager.enter_room("0" * 20, "/", "red", history=5)
    assert a.sio.rooms(client.sid) == [client.sid]
    await a.manager.enter_room(client.sid, "/", "red", history=0)
    assert "red" in a.sio.rooms(client.sid)


async def test_without_recovery(bus_url, prefix):
    """Where the bus keeps no events, history is an error that says what to do, and nothing is changed."""
    async with three_nodes(bus_url, prefix, count=1) as (node,):
        with pytest.raises(SettingError, match="recovery_seconds"):
            await node.manager.enter_room("0" * 20, "/", "red", history=5)


async def test_by_the_server(bus_url, prefix):
    """``AsyncServer.enter_room`` passes it on, and says so where its manager cannot do it."""
    server = AsyncServer(async_mode="asgi")
    with pytest.raises(SettingError, match="ClusterManager"):
        await server.enter_room("x", "red", history=5)
    server = AsyncServer(async_mode="asgi", client_manager=ClusterManager(bus_url, prefix=prefix))
    with pytest.raises(SettingError, match="recovery_seconds"):
        await server.enter_room("x", "red", history=5)


async def test_the_bus_goes_away(nodes, connect, monkeypatch):
    """If the history cannot be read that is an error, and events that were held meanwhile are not lost."""
    a, _, _ = nodes
    client = await connect()

    async def tail(_):
        await say(a, [1], to=client.sid)
        await written(a)
        raise BrokerError("away")

    monkeypatch.setattr(a.manager.recovery.keeper, "tail", tail)
    with pytest.raises(BrokerError, match="away"):
        await a.manager.enter_room(client.sid, "/", "red", history=5)
    await say(a, [2])
    assert await numbers(client, 2) == [1, 2]
    await fence(a, client)


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_more_than_is_held(nodes, connect, monkeypatch):
    """If not all events could be held, and the history cannot be read either, the client is told."""
    a, _, _ = nodes
    client = await connect()
    a.manager.held_bytes = 10

    async def tail(_):
        for number in range(3):
            await a.sio.emit("live", ["x" * 10, number], to=client.sid, ignore_queue=True)
        raise BrokerError("the bus is away")

    monkeypatch.setattr(a.manager.recovery.keeper, "tail", tail)
    with pytest.raises(BrokerError, match="away"):
        await a.manager.enter_room(client.sid, "/", "red", history=5)
    await came_back(client)
    assert a.manager.stats.slow_consumers == 1
