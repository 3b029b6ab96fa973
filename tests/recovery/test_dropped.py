"""What was dropped because the bus was away for longer than it may be."""

from __future__ import annotations

import pytest

from tests.harness import eventually
from tests.recovery.outages import all_are_told, start, stop


@pytest.mark.parametrize("bus", ["redis", "amqp"])
async def test_longer_than_the_buffer(request, bus, redis_that_remembers, prefix, driver):
    """If events were dropped, those who were connected and those who were away are all told so."""
    redis = redis_that_remembers

    async def drop(a, b, _):
        await stop([redis], a, b)
        await b.sio.emit("dropped")
        await eventually(lambda: b.manager.stats.dropped)
        await start([redis])
        await eventually(lambda: b.manager.stats.gaps == 1)

    options = {"buffer_seconds": 0.5}
    if bus == "amqp":
        options["recovery_url"] = redis.url
    url = redis.url if bus == "redis" else request.getfixturevalue("amqp_url")
    await all_are_told(url, prefix, driver, drop, **options)
