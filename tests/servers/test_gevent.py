"""Two workers of gunicorn with gevent on one port, whose threads are greenlets."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import pytest
import websockets

from tests.harness import Node, client, eventually
from tests.jsclient import install, js_driver
from tests.servers.process import Server
from tests.services.process import stop

WEBSOCKETS = "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"
KINDS = [("gevent", "gevent"), ("threading", WEBSOCKETS)]


@pytest.fixture
async def witness(redis_url, prefix):
    """An asyncio node that sees who says hello and goodbye; nobody who says nothing is missed."""
    node = Node(redis_url, prefix, dead_after=120)
    await node.start()
    yield node
    await node.stop()


def gunicorn(worker, port):
    conf = ("-c", "python:tests.servers.threaded_conf", "-w", "2", "-k", worker, "-b", f"127.0.0.1:{port}")
    return ["gunicorn", *conf, "tests.servers.voting:app"]


@pytest.mark.parametrize(("mode", "worker"), KINDS, ids=["gevent", "gevent-websocket"])
async def test_two_workers(mode, worker, witness, redis_url, prefix, tmp_path):
    """Default clients of both workers hear each other, asyncio and plain votes; then both say goodbye."""
    install()
    env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix, "MODE": mode}
    server = Server("gevent", lambda port: gunicorn(worker, port), env, tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(stop, server.process)
        await eventually(lambda: len(witness.manager.nodes()) == 3, 60)
        driver = await stack.enter_async_context(js_driver())
        default = {"transports": ["polling", "websocket"]}
        many = [await stack.enter_async_context(driver.client(server, **default)) for _ in range(6)]
        many.append(await stack.enter_async_context(client(server)))
        for one in many:
            assert await one.call("join", "tea") == ["tea"]
        for number, one in enumerate(many):
            await one.emit("say", "tea", number)
        for one in many:
            heard = [(await one.next("said"))[0] for _ in many]
            assert sorted(heard) == list(range(len(many)))
        await witness.sio.emit("news", "from asyncio")
        for one in many:
            assert await one.next("news") == ["from asyncio"]
        if worker == WEBSOCKETS:
            await vote(server, many)
        server.process.send_signal(signal.SIGTERM)
        for one in many:
            await asyncio.wait_for(one.gone.wait(), 20)
        await eventually(lambda: len(witness.manager.nodes()) == 1, 20)
        assert await asyncio.to_thread(server.process.wait, 20) == 0
    text = server.log.read_text(errors="replace")
    assert "Traceback" not in text, text
    assert "BlockingSwitchOutError" not in text, text


async def vote(server, many):
    """Vote on a plain WebSocket, of which the clients on both workers are told."""
    url = server.url.replace("http", "ws") + "/vote"
    async with websockets.connect(url, proxy=None) as page:
        await page.send("2")
        assert await page.recv() == "1"
        for one in many:
            assert await one.next("voted") == ["2"]
