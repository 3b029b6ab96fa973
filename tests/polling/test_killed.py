"""A worker is killed while the polls of its clients wait, and while it answers them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from types import SimpleNamespace

from tests.cluster.command import Command
from tests.harness import SECONDS, eventually
from tests.jsclient import install, js_driver
from tests.recovery.clients import SOON, came_back, take
from tests.recovery.door import Door

APP = "tests.recovery.app:app"
CLIENTS = 5
EVENTS = 60
POLLING = {"transports": ["polling"], "reconnection": True, **SOON}


async def test_a_killed_worker(prefix):
    """After SIGKILL polling clients come to another node, and get each event once and in order."""
    install()
    options = ["--port=0", "--direct-port=0", "--workers=2", "--recovery-seconds=60", f"--prefix={prefix}"]
    with Command("serve", APP, *options) as command:
        first, second = [SimpleNamespace(url=urls[-1]) for _, urls in sorted(command.nodes(2).items())]
        async with contextlib.AsyncExitStack() as stack:
            door = await stack.enter_async_context(Door(first))
            driver = await stack.enter_async_context(js_driver())
            clients = [
                await stack.enter_async_context(driver.client(door, **POLLING)) for _ in range(CLIENTS)
            ]
            teller = await stack.enter_async_context(driver.client(second))
            pids = {(await client.call("join", "red"))[0] for client in clients}
            telling = asyncio.create_task(tell(teller))
            await eventually(lambda: all(client.events.qsize() > EVENTS // 4 for client in clients))
            os.kill(pids.pop(), signal.SIGKILL)
            door.cut(second)
            await asyncio.wait_for(telling, SECONDS)
            for client in clients:
                assert [await came_back(client) for _ in range(2)] == [False, True]
                for number in range(EVENTS):
                    await take(client, "told", number)
                assert client.events.empty()


async def tell(teller):
    """Tell the room numbers, one after the other."""
    for number in range(EVENTS):
        await teller.call("tell", "red", number)
