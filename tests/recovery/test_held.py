"""What comes for a client while its missed events are read."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.recovery.offset import read_offset
from tests.harness import eventually
from tests.recovery.clients import came_back, fence, left, strip


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_an_offset_is_never_ahead(nodes, door, connect, monkeypatch):
    """An event that is not kept, held before a kept one, has an offset from which that one comes again."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    door.cut()
    await left(a, sid)
    await a.sio.emit("n", 1, to=sid)
    keeper = b.manager.recovery.keeper
    read = keeper.read

    async def reading(question):
        """Read, and let two more events come before the answer does."""
        piece = await read(question)
        held = b.manager.members.clients[sid].held.events
        for number, unkept in ((2, True), (3, False)):
            before = len(held)
            await b.sio.emit("n", number, to=sid, ignore_queue=unkept)
            await eventually(lambda before=before: len(held) > before)
        return piece

    monkeypatch.setattr(keeper, "read", reading)
    door.lead(b)
    assert await came_back(client) is True
    got = [await client.next("n") for _ in range(3)]
    assert [strip(args) for args in got] == [[1], [2], [3]]
    numbers = [read_offset(args[-1]).number for args in got]
    assert numbers[0] <= numbers[1] < numbers[2]
    monkeypatch.undo()
    await fence(b, client)
