"""What was dropped because the bus was away for longer than it may be."""

from __future__ import annotations

import pytest

from tests.harness import eventually, three_nodes
from tests.recovery.clients import came_back, fence, left, take
from tests.recovery.door import Door
from tests.services.redis import RedisServer


@pytest.fixture
def server(tmp_path):
    """A Redis server that writes all that it is told to a file."""
    with RedisServer(tmp_path, "--appendonly", "yes") as one:
        yield one


async def test_longer_than_the_buffer(server, prefix, driver):
    """If events were dropped, those who were connected and those who were away are all told so."""
    options = {"count": 2, "recovery_seconds": 60, "buffer_seconds": 0.5}
    async with three_nodes(server.url, prefix, **options) as (a, b):
        async with (
            Door(a) as door,
            driver.client(door, reconnection=True) as away,
            driver.client(b, reconnection=True) as here,
        ):
            sids = away.sid, here.sid
            for client in (away, here):
                assert await client.connects.get() is False
            await b.sio.emit("n", 1)
            for client in (away, here):
                await take(client, "n", 1)
            door.cut()
            await left(a, away.sid)
            server.stop()
            await eventually(lambda: not a.manager.ready and not b.manager.ready)
            await b.sio.emit("dropped")
            await eventually(lambda: b.manager.stats.dropped)
            server.start()
            assert await came_back(here) is False
            door.lead(a)
            assert await came_back(away) is False
            assert not {away.sid, here.sid} & set(sids)
            await eventually(lambda: a.manager.ready and b.manager.ready)
            await b.sio.emit("n", 2)
            for client in (away, here):
                await take(client, "n", 2)
            await fence(a, here, away)
            assert b.manager.stats.gaps == 1
