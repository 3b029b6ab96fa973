"""Under ``serve``: the supervisor and all its workers are killed, and start again."""

from __future__ import annotations

import asyncio
import os
import signal
from types import SimpleNamespace

import psutil
import pytest

from socketio_cluster import AsyncEmitter
from tests.cluster.command import Command
from tests.harness import SECONDS
from tests.recovery.clients import SOON, came_back, take
from tests.recovery.conftest import OPTIONS
from tests.recovery.door import Door

APP = "tests.recovery.app:app"


@pytest.fixture(params=["redis", "amqp"])
def urls(request):
    """The URLs of a bus that outlives its nodes, and of the Redis beside it if it needs one."""
    return [request.getfixturevalue(url) for url in OPTIONS[request.param].values()]


@pytest.fixture
def serve(urls, prefix):
    """Starts two workers on the bus."""
    bus = [f"{option}={url}" for option, url in zip(["--bus", "--recovery-url"], urls, strict=False)]
    options = ["--port=0", "--direct-port=0", "--workers=2", "--recovery-seconds=60", f"--prefix={prefix}"]
    return lambda: Command("serve", APP, *bus, *options)


def kill_all(command):
    """Kill a supervisor and its workers at once, as a machine without power does."""
    supervisor = psutil.Process(command.process.pid)
    for process in (supervisor, *supervisor.children(recursive=True)):
        os.kill(process.pid, signal.SIGKILL)


def url_of(command, number):
    """Where a worker is reached by itself."""
    return SimpleNamespace(url=sorted(command.nodes(2).items())[number][1][-1])


async def test_the_whole_supervisor(serve, driver, urls, prefix):
    """Clients have their sids, rooms and sessions again, and get what an emitter has said meanwhile."""
    with serve() as first:
        door, other_door = Door(url_of(first, 0)), Door(url_of(first, 1))
        async with (
            door,
            other_door,
            driver.client(door, reconnection=True, **SOON) as one,
            driver.client(other_door, reconnection=True, **SOON) as two,
            AsyncEmitter(urls[0], prefix=prefix, recovery_url=dict(enumerate(urls)).get(1)) as emitter,
        ):
            clients = (one, two)
            sids = [client.sid for client in clients]
            for client in clients:
                assert await client.connects.get() is False
                await client.call("join", "red")
                await client.call("remember", {"sid": client.sid})
            await one.call("tell", "red", 0)
            for client in clients:
                await take(client, "told", 0)
            await asyncio.to_thread(kill_all, first)
            for client in clients:
                await asyncio.wait_for(client.gone.wait(), SECONDS)
            for number in range(1, 51):
                await emitter.emit("told", number, room="red")
            with await asyncio.to_thread(serve) as second:
                door.lead(await asyncio.to_thread(url_of, second, 1))
                other_door.lead(await asyncio.to_thread(url_of, second, 0))
                for client, sid in zip(clients, sids, strict=True):
                    assert await came_back(client) is True
                    assert client.sid == sid
                    for number in range(1, 51):
                        await take(client, "told", number)
                    answer = [{"sid": sid}, sorted(["red", sid]), True]
                    assert await client.call("recall") == [answer]
                await two.call("tell", "red", 51)
                for client in clients:
                    await take(client, "told", 51)
                    await client.disconnect()
