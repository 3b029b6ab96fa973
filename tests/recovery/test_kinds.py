"""Events of every kind: replayed or not, they do no harm to the offset."""

from __future__ import annotations

import asyncio
from itertools import starmap

import pytest

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.recovery.offset import write_offset
from tests.harness import SECONDS
from tests.recovery.clients import came_back, fence, left, strip, take


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_binary_and_json(nodes, door, connect, serializer):
    """Values and attachments of all sorts come again as they were."""
    a, b, _ = nodes
    client = await connect()
    values = [
        b"\0\1\2",
        {"a": [1, 2.5, None, "ü€😀"], "b": {"c": b"x"}},
        "text that ends an event",
        (b"one", {"two": b"two"}, b"three"),
        None,
        [],
    ]
    for value in values:
        await a.sio.emit("live", value)
    arguments = [list(v) if isinstance(v, tuple) else [] if v is None else [v] for v in values]
    for each in arguments:
        await take(client, "live", *each)
    door.cut()
    await left(a, client.sid)
    for value in values:
        await b.sio.emit("missed", value)
    door.lead(b)
    assert await came_back(client) is True
    for each in arguments:
        await take(client, "missed", *each)
    await fence(a, client)


async def test_volatile_and_local_events_and_acks(nodes, door, connect, manager_of):
    """They are not replayed, and a client whose last event was one of them goes on from the right place."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await b.sio.emit("first", "text")
    await take(client, "first", "text")
    await manager_of(a).volatile.emit("volatile", "text")
    await take(client, "volatile", "text")
    await manager_of(a).local.emit("local", "text")
    await take(client, "local", "text")
    assert await b.sio.call("acked", "text", to=sid) == "text"
    assert await client.next("acked") == ["text"]
    await b.sio.emit("last", "text", callback=lambda *_: None, to=sid)
    assert await client.next("last") == ["text"]
    door.cut()
    await left(a, sid)
    await manager_of(b).volatile.emit("volatile", "lost")
    await b.sio.emit("missed", "text")
    door.lead(b)
    assert await came_back(client) is True
    await take(client, "missed", "text")
    await fence(a, client)


def forged(place):
    """Texts of an application that look like offsets of this history, or nearly."""
    numbers = (place.floor - 1, place.last, place.last + 10**9)
    stamps = [Stamp(epoch, number) for epoch in (place.epoch, "foreig") for number in numbers]
    return [*starmap(write_offset, stamps), place.epoch, ""]


async def test_last_arguments_that_look_like_offsets(nodes, door, connect, manager_of):
    """Whatever event a client had last, and whatever text ended it, the client goes on from its place."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    place = await a.manager.recovery.keeper.place()
    ways = {
        "kept": lambda event, text: b.sio.emit(event, text, to=sid),
        "acked": lambda event, text: b.sio.emit(event, text, to=sid, callback=lambda *_: None),
        "volatile": lambda event, text: manager_of(a).volatile.emit(event, text),
        "local": lambda event, text: manager_of(a).local.emit(event, text),
    }
    for way, emit in ways.items():
        for text in forged(place):
            await emit(way, text)
            args = await client.next(way)
            assert (args if way == "acked" else strip(args)) == [text]
        door.cut()
        await left(a, sid)
        await b.sio.emit("missed", way)
        door.lead(a)
        assert await came_back(client) is True
        assert client.sid == sid
        await take(client, "missed", way)
        await fence(b, client)


async def test_order_with_acks(nodes, connect):
    """What one task emits arrives in its order, whether with an ack, volatile, or neither."""
    a, _, _ = nodes
    client = await connect()
    for number in range(0, 60, 3):
        await a.sio.emit("n", number)
        await a.sio.emit("n", number + 1, callback=lambda *_: None, to=client.sid)
        await a.manager.to(client.sid).volatile.emit("n", number + 2)
    seen = [(await client.next("n"))[0] for _ in range(60)]
    assert seen == list(range(60))


async def test_order_with_acks_of_another_node(nodes, connect):
    """It arrives in its order also from another node, to the client alone and to its room."""
    a, b, _ = nodes
    client = await connect()
    await a.sio.enter_room(client.sid, "red")
    for number in range(0, 60, 3):
        await b.sio.emit("n", number, room="red")
        await b.sio.emit("n", number + 1, callback=lambda *_: None, to=client.sid)
        await b.sio.emit("n", number + 2, to=client.sid)
    seen = [(await client.next("n"))[0] for _ in range(60)]
    assert seen == list(range(60))


async def test_who_is_left_out(nodes, door, connect):
    """Rooms and sids that an emit leaves out, and conditions on the session, hold for a replay."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    await a.sio.enter_room(sid, "muted")
    await a.sio.save_session(sid, {"level": 3})
    door.cut()
    await left(a, sid)
    await b.manager.to("red").except_("muted").emit("no", 1)
    await b.manager.to("red").except_(sid).emit("no", 2)
    await b.manager.to("red").except_("blue").emit("yes", 3)
    await b.manager.to("red").where({"level >=": 4}).emit("no", 4)
    await b.manager.to("red").where({"level": 3}).emit("yes", 5)
    await b.sio.emit("no", 6, room="red", skip_sid=sid)
    await b.sio.emit("yes", 7, room=["x", "red", "muted"])
    await b.sio.emit("yes", 8, room=[*map(str, range(40)), "red"])
    door.lead(b)
    assert await came_back(client) is True
    for number in (3, 5, 7, 8):
        await take(client, "yes", number)
    await fence(a, client)


async def test_order_with_rooms_and_the_end(nodes, connect):
    """What was emitted before a join is not for the client, and what was before a leave or the end is."""
    a, _, _ = nodes
    client = await connect()
    sid = client.sid
    for number in range(20):
        await a.sio.emit("no", number, room="red")
        await a.sio.enter_room(sid, "red")
        await a.sio.emit("yes", number, room="red")
        await a.sio.leave_room(sid, "red")
    await a.sio.emit("bye", to=sid)
    await a.sio.disconnect(sid)
    for number in range(20):
        await take(client, "yes", number)
    await take(client, "bye")
    await asyncio.wait_for(client.gone.wait(), SECONDS)
    assert client.events.empty()
