"""A client that enters a room waits for the bus only if this node has not subscribed to the room yet."""

from __future__ import annotations

import asyncio

from tests.harness import eventually


def waits(joining):
    """Whether a coroutine has to be continued later."""
    try:
        joining.send(None)
    except StopIteration:
        return False
    joining.close()
    return True


async def test_together(nodes, connect):
    """Clients who enter a room at the same time all wait for it, and those who enter it later do not."""
    here, far = nodes[0].sio, nodes[1].sio
    one, two, late = [await connect(nodes[0]) for _ in range(3)]
    for number in range(10):
        room = f"room {number}"

        async def enter(who, other, room=room):
            await here.enter_room(who.sid, room)
            await far.emit("in", room=room, skip_sid=other.sid)

        await asyncio.gather(enter(one, two), enter(two, one))
        for who in (one, two):
            assert await who.next("in") == []
        assert not waits(here.enter_room(late.sid, room))
        await far.emit("late", room=room)
        for who in (one, two, late):
            assert await who.next("late") == []


async def test_who_comes_after_the_last(nodes, connect):
    """A room that everybody has left is subscribed to anew by who enters it then."""
    one, two = [await connect(nodes[0]) for _ in range(2)]
    here, manager = nodes[0].sio, nodes[0].manager
    channel = manager.node.channels.room("/", "blue")
    await here.enter_room(one.sid, "blue")
    await here.leave_room(one.sid, "blue")
    await eventually(lambda: channel not in manager.node.interest.taken)
    assert waits(here.enter_room(two.sid, "blue"))
    await here.enter_room(two.sid, "blue")
    await nodes[1].sio.emit("in", room="blue")
    assert await two.next("in") == []


async def test_after_a_cut(nodes, connect):
    """Who enters an old room, when this node is on the bus again, gets what another node emits then."""
    one, two = [await connect(nodes[0]) for _ in range(2)]
    manager = nodes[0].manager
    await nodes[0].sio.enter_room(one.sid, "blue")
    manager.node.link.fail("the test says so")
    await eventually(lambda: manager.stats.reconnects == 1 and manager.ready)
    assert not waits(nodes[0].sio.enter_room(two.sid, "blue"))
    await nodes[1].sio.emit("in", room="blue")
    assert await two.next("in") == []
