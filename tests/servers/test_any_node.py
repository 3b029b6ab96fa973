"""Workers that share a port under servers that are not ours, and clients that keep to none of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import uuid

import aiohttp
import pytest

from tests.harness import eventually
from tests.jsclient import install, js_driver
from tests.servers.process import Server
from tests.services.process import stop

ASGI = "tests.servers.workers:app"
COMMANDS = {
    "flask": lambda port: [
        "gunicorn",
        *("-c", "python:tests.servers.threaded_conf", "-w", "2", "-b", f"127.0.0.1:{port}"),
        "tests.servers.threaded:app",
    ],
    "uvicorn": lambda port: ["uvicorn", ASGI, "--workers", "2", "--port", port],
    "hypercorn": lambda port: ["hypercorn", ASGI, "-w", "2", "--bind", f"127.0.0.1:{port}"],
    "granian": lambda port: ["granian", ASGI, "--interface", "asgi", "--workers", "2", "--port", port],
}
CLIENTS = 20


@pytest.fixture(scope="module", params=COMMANDS)
def server(request, redis_server, tmp_path_factory):
    """A server with two workers."""
    env = {"CLUSTER_BUS": redis_server.url, "CLUSTER_PREFIX": uuid.uuid4().hex}
    one = Server(request.param, COMMANDS[request.param], env, tmp_path_factory.mktemp("workers"))
    try:
        one.wait()
        yield one
    finally:
        stop(one.process, seconds=20)
    assert "Traceback" not in one.log.read_text(), one.log.read_text()


@pytest.fixture
async def both(server, driver):
    """Returns when both workers are in the cluster."""
    async with driver.client(server, transports=["polling", "websocket"]) as one:
        while (await one.call("where"))[0][3] < 2:  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(0.05)


@pytest.fixture
async def driver():
    install()
    async with js_driver() as one:
        yield one


async def upgraded(one):
    """Where a client is, once it has a WebSocket."""
    while (where := (await one.call("where"))[0])[2] != "websocket":  # noqa: ASYNC110 - another process is asked
        await asyncio.sleep(0.05)
    return where


async def test_default_clients(server, both, driver):
    """Twenty clients with the default transports connect at once, upgrade, and hear everybody in a room."""
    room, barrier = uuid.uuid4().hex, asyncio.Barrier(CLIENTS)

    async def run(number):
        async with driver.client(server, transports=["polling", "websocket"]) as one:
            assert await one.call("join", room) == [room]
            await barrier.wait()
            await one.emit("say", room, number)
            heard = [await asyncio.wait_for(one.events.get(), 30) for _ in range(CLIENTS)]
            await upgraded(one)
            await barrier.wait()
            return sorted(args[0] for _, args in heard)

    results = await asyncio.wait_for(asyncio.gather(*(run(number) for number in range(CLIENTS))), 60)
    assert results == [list(range(CLIENTS))] * CLIENTS


class Poller:
    """A polling session, each request of which has a connection of its own and may reach any worker."""

    def __init__(self, http, url):
        self._http = http
        self.url = f"{url}/socket.io/?EIO=4&transport=polling"

    async def open(self):
        [packet] = await self.get()
        self.url += f"&sid={json.loads(packet[1:])['sid']}"
        await self.post("40")
        await self.get()

    async def get(self):
        async with self._http.get(self.url) as response:
            assert response.status == 200, await response.text()
            return (await response.text()).split("\x1e")

    async def post(self, text):
        async with self._http.post(self.url, data=text) as response:
            assert (response.status, await response.text()) == (200, "OK")

    async def refused(self):
        """The answer, once a request is refused."""
        while True:
            async with self._http.get(self.url, headers={"Origin": "http://page.example"}) as response:
                if response.status == 400:
                    return response.headers.get("Access-Control-Allow-Origin"), await response.text()


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=0)) as session:
        yield session


async def test_polling(server, http):
    """A session whose every request may reach another worker gets its answers, however large, in order."""
    one = Poller(http, server.url)
    await one.open()
    await one.post('420["join","room"]')
    assert await one.get() == ['430["room"]']
    for size in (1, 100_000, 700_000):
        await one.post(f'42["say","room","{"x" * size}"]')
        assert await one.get() == [f'42["said","{"x" * size}"]']
    await one.post("1")  # the client leaves
    assert await asyncio.wait_for(one.refused(), 10)


@pytest.mark.parametrize("server", ["flask", "uvicorn"], indirect=True)
async def test_a_worker_that_dies(server, http, driver):
    """Clients of a killed worker are told that their session is unknown, and connect to another one."""
    one = Poller(http, server.url)
    await one.open()
    await one.post('420["where"]')
    [answer] = [packet for packet in await one.get() if packet.startswith("430")]
    pid = json.loads(answer[3:])[0][1]
    async with contextlib.AsyncExitStack() as stack:
        how = {"transports": ["polling"], "reconnection": True}
        others = [await stack.enter_async_context(driver.client(server, **how)) for _ in range(6)]
        mine = [each for each in others if (await each.call("where"))[0][1] == pid]
        os.kill(pid, signal.SIGKILL)
        origin, text = await asyncio.wait_for(one.refused(), 30)
        assert (origin, json.loads(text)) == (
            "http://page.example",
            {"code": 1, "message": "Session ID unknown"},
        )
        for each in mine:
            await eventually(lambda each=each: each.connects.qsize() == 2, 40)
            assert (await each.call("where"))[0][1] != pid
