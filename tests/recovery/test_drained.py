"""Under ``serve``: the clients of a node that drains return to another one, and have missed nothing."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.cluster.served import Served, request
from tests.cluster.watched import TRANSPORTS
from tests.recovery.clients import SOON, came_back
from tests.recovery.conftest import OPTIONS
from tests.recovery.door import Door

APP = "tests.recovery.app:app"


@pytest.fixture
def two_supervisors(request, bus, prefix, tmp_path):
    """Two supervisors with a worker each, on one bus."""
    bus = [f"{option}={request.getfixturevalue(url)}" for option, url in OPTIONS[bus].items()]
    options = (*bus, f"--prefix={prefix}", "--recovery-seconds=60", "--drain-window=1")
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Served(tmp_path, *options, workers=1, app=APP)) for _ in range(2)]


@pytest.mark.parametrize(("bus", "how"), [("redis", "HTTP"), ("amqp", "SIGTERM")])
async def test_it_is_asked_to_drain(two_supervisors, driver, how):
    """Clients of all transports keep their sids, and get each event once and in order meanwhile."""
    one, two = two_supervisors
    async with contextlib.AsyncExitStack() as stack:
        door = await stack.enter_async_context(Door(one))
        clients = [
            await stack.enter_async_context(
                driver.client(door, transports=transports, reconnection=True, **SOON)
            )
            for transports in TRANSPORTS
        ]
        teller = await stack.enter_async_context(driver.client(two))
        sids = [client.sid for client in clients]
        for client in clients:
            assert await client.connects.get() is False
            await client.call("join", "red")
            await client.call("remember", {"sid": client.sid})
        door.lead(two)
        if how == "HTTP":
            assert (await request(one.probes + "/drain", method="POST"))[0] == 202
        else:
            one.process.terminate()
        told = 0
        while any(client.connects.empty() for client in clients):
            told += 1
            await teller.call("tell", "red", told)
            await asyncio.sleep(0.01)
        assert [await came_back(client) for client in clients] == [True] * len(clients)
        assert [client.sid for client in clients] == sids
        await teller.call("tell", "red", told + 1)
        for client in clients:
            assert [(await client.next("told"))[0] for _ in range(told + 1)] == list(range(1, told + 2))
            assert client.events.empty()
            assert await client.call("recall") == [[{"sid": client.sid}, sorted(["red", client.sid]), True]]
        assert (await one.ended())[0] == 0
