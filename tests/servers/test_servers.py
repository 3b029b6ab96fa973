"""Two nodes under each server that is not ours make a cluster by the ordinary path."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.bare_sessions import raw_polling
from tests.harness import client
from tests.servers.process import Server
from tests.services.process import stop

APP = "tests.servers.asgi:app"
COMMANDS = {
    "aiohttp": lambda port: ["tests.servers.aiohttp", port],
    "sanic": lambda port: ["sanic", "tests.servers.sanic:app", "--port", port, "--single-process"],
    "tornado": lambda port: ["tests.servers.tornado", port],
    "hypercorn": lambda port: ["hypercorn", APP, "--bind", f"127.0.0.1:{port}"],
    "granian": lambda port: ["granian", APP, "--interface", "asgi", "--port", port],
    "gunicorn": lambda port: [
        "gunicorn",
        APP,
        "-k",
        "uvicorn_worker.UvicornWorker",
        "-b",
        f"127.0.0.1:{port}",
    ],
    "uvicorn": lambda port: ["uvicorn", APP, "--port", port],
}


@pytest.fixture(params=COMMANDS)
async def servers(request, redis_url, prefix, tmp_path):
    """Two nodes on one bus."""
    env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix}
    with contextlib.ExitStack() as stack:
        two = [Server(request.param, COMMANDS[request.param], env, tmp_path) for _ in range(2)]
        for one in two:
            stack.callback(stop, one.process)
        for one in two:
            await asyncio.to_thread(one.wait)
        yield two


async def test_two_nodes(servers):
    """Rooms, acks, calls and disconnects cross the nodes, on both transports; then one says goodbye."""
    first, second = servers
    async with client(first) as here, client(second, transports=["polling"]) as there:
        assert await there.call("join", "blue") == ["blue"]
        assert await here.call("join", "blue") == ["blue"]
        await here.emit("say", "blue", {"words": "hello", "raw": b"\x00\x01"})
        assert await there.next("said") == [{"words": "hello", "raw": b"\x00\x01"}]
        await there.emit("say", "blue", ["back"])
        assert await here.next("said") == [["back"]]
        assert await here.call("ask", there.sid, 1) == [1]
        assert await there.next("asked") == [1]
        assert await there.call("forbidden") == [{"error": "forbidden here"}]
        await nodes_are(here, 2)
        sid = there.sid
        await here.emit("kick", sid)
        await asyncio.wait_for(there.gone.wait(), 5)
        assert await here.next("left") == [sid]
        second.process.terminate()
        await nodes_are(here, 1)  # sooner than one that vanished would be missed
    text = "".join(server.log.read_text() for server in servers)
    assert "Traceback" not in text, text


async def nodes_are(one, count):
    """Return when the client's node knows so many nodes."""
    async with asyncio.timeout(5):
        while await one.call("nodes") != [count]:  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(0.05)


async def test_a_burst_by_polling(servers):
    """A POST of 40 events, more than python-engineio takes, is handled and acked; nonsense ends a session."""
    async with raw_polling(servers[0]) as one:
        assert await one.post("40") == 200
        assert (await one.get())[0].startswith("40{")
        assert await one.post("\x1e".join(f'42{number}["join","blue"]' for number in range(40))) == 200
        answers = []
        while len(answers) < 40:
            answers += await one.get()
        assert sorted(answers) == sorted(f'43{number}["blue"]' for number in range(40))
        assert await one.post("4\x1ex") == 200
        async with one.http.get(one.url) as response:
            assert response.status == 400 or await response.text() == "1"
