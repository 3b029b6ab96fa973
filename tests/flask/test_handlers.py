"""A client whose handlers do not end has a bounded number of them, on every way in."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.cluster.lane_helpers import lane_node
from tests.cluster.test_bursts import flask_node
from tests.harness import client, eventually, three_nodes
from tests.plain.plain import plain, plain_nodes

MOST = 5


@contextlib.asynccontextmanager
async def asgi_node(**options):
    async with three_nodes(None, "handlers", count=1, **options) as [node]:
        yield node


@contextlib.asynccontextmanager
async def plain_node(**options):
    async with plain_nodes(None, "handlers", count=1, **options) as [node]:
        yield node


WAYS = {
    "lane": (lambda **options: lane_node(True, **options), "websocket"),
    "ordinary": (lambda **options: lane_node(False, **options), "websocket"),
    "polling": (asgi_node, "polling"),
    "flask": (flask_node, "websocket"),
    "flask-polling": (flask_node, "polling"),
}


def running(node):
    handlers = node.manager.handlers
    return handlers.count if hasattr(handlers, "count") else node.manager.stats.handlers


class Slow:
    """A handler that does not end before it may."""

    def __init__(self, node):
        self.begun = []
        self.may_end = asyncio.Event()
        node.sio.on("slow", self.handle)

    async def handle(self, sid, number):
        self.begun.append(number)
        await self.may_end.wait()


@pytest.mark.parametrize("way", WAYS)
async def test_a_bound(way):
    """Only so many handlers run for a client; the rest of its events wait, and others are served."""
    make, transport = WAYS[way]
    async with make(handlers_per_client=MOST) as node:
        slow = Slow(node)
        async with client(node) as other, client(node, transports=[transport]) as one:
            for number in range(12):
                await one.emit("slow", number)
            await eventually(lambda: len(slow.begun) == MOST)
            assert await other.call("say", "here") == ["here"]
            assert len(slow.begun) == MOST == running(node)
            slow.may_end.set()
            await eventually(lambda: sorted(slow.begun) == list(range(12)))
            assert await one.call("say", "on") == ["on"]
        await eventually(lambda: not running(node))


async def test_a_bound_for_plain_clients():
    """Only so many handlers run for a plain client."""
    async with plain_node(handlers_per_client=MOST) as node:
        slow = Slow(node)
        async with plain(node) as one, plain(node) as other:
            for number in range(12):
                await one.say(event="slow", data=number)
            await eventually(lambda: len(slow.begun) == MOST)
            assert await other.ask(event="say", data="here") == {"ack": 1, "data": "here"}
            assert len(slow.begun) == MOST
            slow.may_end.set()
            await eventually(lambda: slow.begun == list(range(12)))


@pytest.mark.parametrize("way", ["lane", "ordinary", "flask"])
async def test_handlers_of_a_client_that_left(way):
    """Handlers of a client that has left are counted until they end."""
    make, transport = WAYS[way]
    async with make(handlers_per_client=MOST) as node:
        slow = Slow(node)
        async with client(node, transports=[transport]) as one:
            for number in range(3):
                await one.emit("slow", number)
            await eventually(lambda: len(slow.begun) == 3)
        await eventually(lambda: node.log[-1][0] == "disconnect")
        assert running(node) == 3
        slow.may_end.set()
        await eventually(lambda: not running(node))
