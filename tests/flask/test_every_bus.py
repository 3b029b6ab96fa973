"""A Flask node and an asyncio node on every kind of bus."""

from __future__ import annotations

import pytest

from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node, client, eventually, fence


@pytest.mark.parametrize("bus", ["local", "amqp", "kombu_redis", "nats"])
async def test_both_ways(request, prefix, bus):
    """Events, rooms, skip_sid, answers and disconnects go both ways, in order, on this bus."""
    url = request.getfixturevalue(f"{bus}_url")
    async with mixed((ThreadedNode, Node, ThreadedNode), url, prefix) as nodes:
        async with client(nodes[0]) as threaded, client(nodes[1]) as plain, client(nodes[2]) as third:
            everybody = (threaded, plain, third)
            for one in everybody:
                await nodes[0].sio.enter_room(one.sid, "blue")
            for node in nodes:
                for number in range(50):
                    await node.sio.emit("n", number, room="blue", skip_sid=third.sid)
                for one in (threaded, plain):
                    assert [(await one.next("n"))[0] for _ in range(50)] == list(range(50))
            for asker in nodes:
                for one in everybody:
                    assert await asker.sio.call("ask", {"b": b"\x00"}, to=one.sid, timeout=5) == {
                        "b": b"\x00"
                    }
                    assert await one.next("ask") == [{"b": b"\x00"}]
            await nodes[1].sio.close_room("blue")
            await nodes[0].sio.emit("never", room="blue")
            await fence(nodes[0], *everybody)
            await nodes[1].sio.disconnect(threaded.sid)
            await nodes[0].sio.disconnect(plain.sid)
            await eventually(lambda: nodes[0].empty and nodes[1].empty)
