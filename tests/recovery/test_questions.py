"""What questions to all nodes say of a client that is away, and of one that has come back elsewhere."""

from __future__ import annotations

import pytest

from socketio_cluster import ClientAnswer
from tests.recovery.clients import came_back, left


async def test_away_and_back(nodes, door, connect):
    """A client that is away is nobody for a question; back on another node it is found by its sid at once."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "red")
    await a.sio.save_session(sid, {"level": 3})
    door.cut()
    await left(a, sid)
    for node in nodes:
        calls = node.manager.to(sid).timeout(600)
        assert await calls.count() == await calls.disconnect_sockets() == await calls.sockets_join("no") == 0
        assert await calls.fetch_sockets() == await calls.emit_with_ack("ask") == []
        assert await node.manager.fetch_rooms() == {}
        with pytest.raises(ValueError, match="not connected"):
            await node.manager.rooms_of(sid)
    door.lead(b)
    assert await came_back(client) is True
    for number, node in enumerate(nodes):
        assert await node.manager.rooms_of(sid) == {"red", *map(str, range(number))}
        assert [one.node async for one in node.manager.fetch_sockets(sid)] == [b.manager.node_id]
        assert await node.manager.count("red", where={"level": 3}) == 1
        assert await node.manager.sockets_join(str(number), sid) == 1
        assert await node.manager.emit_with_ack("ask", number, "red") == [ClientAnswer(sid, number)]
        assert await client.next("ask") == [number]
    assert await a.manager.disconnect_sockets(sid) == 1
    assert await b.manager.count() == 0
