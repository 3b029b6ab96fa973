"""A polling session that answers no ping ends when the protocol says, not a tick of a clock later."""

from __future__ import annotations

import asyncio

import pytest

from tests.bare_sessions import RawPolling
from tests.strict.conftest import both_ways

INTERVAL, TIMEOUT, JUST_AFTER = 0.3, 0.2, 0.01


@pytest.fixture
def server_options():
    """As the official protocol tests have it."""
    return {"ping_interval": INTERVAL, "ping_timeout": TIMEOUT}


async def outcome(http, server):
    """The status of a poll that comes just after the time for the answer to the first ping."""
    session = RawPolling(http, server)
    await session.open()
    await asyncio.sleep(INTERVAL + TIMEOUT + JUST_AFTER)
    async with http.get(session.url) as response:
        return response.status


@pytest.mark.alone
@both_ways
async def test_a_poll_after_the_ping_timeout(node, http):
    """A poll just after pingInterval + pingTimeout without a pong gets 400."""
    assert await asyncio.gather(*(outcome(http, node) for _ in range(9))) == [400] * 9


async def test_the_official_server(hasty, http):
    """The official server says the same."""
    assert await outcome(http, hasty) == 400
