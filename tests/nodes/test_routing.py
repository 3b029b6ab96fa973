"""A message reaches only the nodes that have somebody to give it to."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.channels import routing_key
from tests.harness import fence


@pytest.fixture
def rooms(nodes):
    """Room names that share no AMQP partition with each other, nor with the namespace's own channel."""
    names = nodes[0].manager.node.channels
    taken, found = {routing_key(names.namespace("/"))}, []
    for number in range(1000):
        key = routing_key(names.room("/", f"room {number}"))
        if key not in taken:
            taken.add(key)
            found.append(f"room {number}")
    return iter(found)


class Meter:
    """How many emits each node has received from others since the last look."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.last = self.read()

    def read(self):
        return [node.manager.stats.received["Emit"] for node in self.nodes]

    def delta(self):
        last, self.last = self.last, self.read()
        return [now - before for now, before in zip(self.last, last, strict=True)]


async def settled(nodes, meter, clients):
    """What each node has received, once everything emitted on the first node has had its time."""
    for one in clients:
        await fence(nodes[0], one)
    return [count - 1 if count else 0 for count in meter.delta()]


async def test_room(nodes, connect, rooms):
    """Messages to a room reach the nodes with members and cost the others nothing."""
    clients = [await connect(nodes[1]), await connect(nodes[2])]
    room = next(rooms)
    meter = Meter(nodes)
    await nodes[0].sio.enter_room(clients[0].sid, room)
    for number in range(20):
        await nodes[0].sio.emit("n", number, room=room)
    for number in range(20):
        assert await clients[0].next("n") == [number]
    assert await settled(nodes, meter, clients) == [0, 20, 0]

    await nodes[2].sio.enter_room(clients[1].sid, room)
    await nodes[0].sio.emit("both", room=room)
    for one in clients:
        assert await one.next("both") == []
    assert await settled(nodes, meter, clients) == [0, 1, 1]


async def test_after_the_last_member_left(nodes, connect, rooms):
    """A node whose last member of a room left, by leave, close or disconnect, gets no more of it."""
    stays = [await connect(nodes[1]), await connect(nodes[2])]
    first, second = await connect(nodes[1]), await connect(nodes[1])
    for end in ("leave", "close", "disconnect"):
        room = next(rooms)
        for one in (first, second):
            await nodes[0].sio.enter_room(one.sid, room)
        await nodes[0].sio.leave_room(first.sid, room)
        meter = Meter(nodes)
        await nodes[0].sio.emit("still", room=room)
        assert await second.next("still") == []
        assert await settled(nodes, meter, stays) == [0, 1, 0]
        if end == "leave":
            await nodes[0].sio.leave_room(second.sid, room)
        elif end == "close":
            await nodes[0].sio.close_room(room)
        else:
            await nodes[0].sio.disconnect(second.sid)
        # The bus is told of changes one after another: with this one the giving up has happened too.
        await nodes[1].manager.node.subscribe(f"after {room}")
        meter = Meter(nodes)
        await nodes[0].sio.emit("nobody", room=room)
        assert await settled(nodes, meter, stays) == [0, 0, 0]


async def test_sid(nodes, connect):
    """Messages, calls and joins for a client reach its node alone."""
    one, other = await connect(nodes[1]), await connect(nodes[2])
    before = [sum(node.manager.stats.received.values()) for node in nodes]
    for number in range(10):
        await nodes[0].sio.emit("n", number, to=one.sid)
        assert await one.next("n") == [number]
    assert await nodes[0].sio.call("ask", "x", to=one.sid) == "x"
    assert await one.next("ask") == ["x"]
    await nodes[0].sio.enter_room(one.sid, "blue")
    await nodes[0].sio.leave_room(one.sid, "blue")
    await fence(nodes[0], other)
    after = [sum(node.manager.stats.received.values()) for node in nodes]
    # The first gets the answers: one ack, two replies. The last gets the fence.
    assert [now - then for now, then in zip(after, before, strict=True)] == [3, 10 + 1 + 2, 1]


async def test_namespace(bus_url, nodes, connect):
    """A broadcast in a namespace reaches only nodes with clients in it."""
    main, chat = await connect(nodes[1]), await connect(nodes[2], namespace="/chat")
    meter = Meter(nodes)
    for number in range(10):
        await nodes[0].sio.emit("n", number, namespace="/chat")
        assert await chat.next("n") == [number]
    await fence(nodes[0], main)
    keys = {routing_key(nodes[0].manager.node.channels.namespace(name)) for name in ("/", "/chat")}
    shared = bus_url.startswith("amqp") and len(keys) == 1  # one partition by chance, one in 64
    assert meter.delta() == ([0, 11, 10] if shared else [0, 1, 10])


async def test_local(nodes, connect):
    """A message to a client of the same node costs the bus nothing."""
    one, other = await connect(nodes[0]), await connect(nodes[1])
    published = nodes[0].manager.stats.published["Emit"]
    await nodes[0].sio.emit("n", to=one.sid)
    assert await one.next("n") == []
    assert nodes[0].manager.stats.published["Emit"] == published
    await fence(nodes[0], other)
    assert nodes[0].manager.stats.published["Emit"] == published + 1
