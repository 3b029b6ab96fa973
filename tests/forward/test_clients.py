"""Real clients behind balancers without stickiness."""

from __future__ import annotations

import asyncio

import pytest
import socketio

from tests.forward.balancer import Balancer
from tests.forward.soak import chat
from tests.jsclient import install, js_driver

TRANSPORTS = [["polling"], ["polling", "websocket"], ["websocket"]]


@pytest.fixture(params=[True, False], ids=["http", "tcp"])
async def balancer(request, nodes):
    """Every request, or every connection, goes to the next of three nodes."""
    async with Balancer(nodes.urls, http=request.param) as one:
        yield one


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
async def test_javascript_clients(balancer, transports):
    """Twenty JavaScript clients in rooms of four get every message once, in the order of its speaker."""
    install()
    async with js_driver() as driver:

        async def run(number):
            async with driver.client(balancer, transports=transports) as client:
                room = f"{transports} {number // 4} {balancer.url}"
                assert await client.call("join", room) == [room]
                await barrier.wait()
                for at in range(3):
                    await client.emit("say", room, f"{number % 4} {at}")
                heard = [await asyncio.wait_for(client.events.get(), 20) for _ in range(12)]
                await barrier.wait()
                return [args[0][1] for _, args in heard]

        barrier = asyncio.Barrier(20)
        heard = await asyncio.gather(*(run(number) for number in range(20)))
    for texts in heard:
        for speaker in range(4):
            mine = [text for text in texts if text.startswith(f"{speaker} ")]
            assert mine == [f"{speaker} {at}" for at in range(3)]


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
async def test_python_clients(balancer, transports):
    """Ten Python clients, one after the other, are answered whatever node a request goes to."""
    for number in range(10):
        async with socketio.AsyncSimpleClient() as client:
            await client.connect(balancer.url, transports=transports)
            payload = {"number": number, "bytes": bytes(range(256))}
            assert await client.call("echo", payload, timeout=10) == payload
            # A client that leaves before its POST is answered sends no CLOSE, and waits for its poll.
            await client.client.eio.queue.join()


async def test_hundred_polling_clients_lose_nothing(nodes):
    """A hundred clients that poll around three nodes and chat in rooms see no error, no loss, no repeat."""
    report = await chat(nodes.urls, clients=100, seconds=10)
    assert report.clean, str(report)
    assert report.received > 500
