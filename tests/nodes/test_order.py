"""What one task emits reaches each client in the order it was emitted, whatever the way."""

from __future__ import annotations

import asyncio

from tests.harness import fence

COUNT = 500


async def test_one_task(nodes, connect_any):
    """Emits to a sid, a room, everyone and a list, mixed, arrive in order at clients on all nodes."""
    clients = [await connect_any(node) for node in nodes]
    for node, one in zip(nodes, clients, strict=True):
        await node.sio.enter_room(one.sid, "blue")
    due = {one: [] for one in clients}
    for number in range(COUNT):
        target = clients[number // 4 % 3]
        room = [None, "blue", ["blue", "red", target.sid], target.sid][number % 4]
        await nodes[0].sio.emit("n", number, room=room)
        for one in [target] if room == target.sid else clients:
            due[one].append(number)
    for one in clients:
        assert [(await one.next("n"))[0] for _ in due[one]] == due[one]
    await fence(nodes[0], *clients)


async def test_many_tasks(nodes, connect):
    """Each of many concurrent tasks on all nodes keeps its own order."""
    one = await connect(nodes[1])
    await nodes[1].sio.enter_room(one.sid, "blue")

    async def emit(task):
        for number in range(20):
            await nodes[task % 3].sio.emit("n", (task, number), room=["blue", None, one.sid][number % 3])

    await asyncio.gather(*(emit(task) for task in range(12)))
    seen = [await one.next("n") for _ in range(12 * 20)]
    for task in range(12):
        assert [number for which, number in seen if which == task] == list(range(20))


async def test_emit_follows_join(nodes, connect):
    """A join, an emit to the room and a leave of one task take effect in that order, again and again."""
    one = await connect(nodes[1])
    for number in range(30):
        await nodes[0].sio.enter_room(one.sid, f"room {number % 3}")
        await nodes[0].sio.emit("n", number, room=f"room {number % 3}")
        await nodes[0].sio.leave_room(one.sid, f"room {number % 3}")
        await nodes[0].sio.emit("never", number, room=f"room {number % 3}")
    assert [(await one.next("n"))[0] for _ in range(30)] == list(range(30))
    await fence(nodes[0], one)
