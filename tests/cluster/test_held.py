"""What connect handlers emit: it follows the CONNECT packet, or the client connects again and knows."""

from __future__ import annotations

import contextlib

import pytest

from tests.cluster.returning import reconnecting
from tests.cluster.test_bursts import flask_node
from tests.harness import client, eventually, three_nodes
from tests.jsclient import install, js_driver

BOTH = pytest.mark.parametrize("transport", ["polling", "websocket"])


@contextlib.asynccontextmanager
async def asgi_node(**options):
    async with three_nodes(None, "held", count=1, **options) as [node]:
        yield node


NODES = pytest.mark.parametrize("make", [asgi_node, flask_node])


@pytest.fixture(scope="module")
def javascript():
    install()


@NODES
@BOTH
async def test_many_in_the_connect_handler(make, transport):
    """Thousands of emits of a connect handler reach its client in order."""
    async with make() as node:

        async def connect(sid, environ, auth):
            for number in range(3000):
                await node.sio.emit("n", number, to=sid)

        node.sio.on("connect", connect)
        async with client(node, transports=[transport]) as one:
            assert [await one.next("n") for _ in range(3000)] == [[number] for number in range(3000)]


@NODES
@BOTH
async def test_too_much_in_the_connect_handler(make, transport, javascript):
    """A client of which too much is held loses its connection, and the official clients come back."""
    async with make(client_bytes=65536) as node:
        sids = []

        async def connect(sid, environ, auth):
            sids.append(sid)
            for _ in range(60 if len(sids) == 1 else 1):
                await node.sio.emit("n", "x" * 10_000, to=sid)

        node.sio.on("connect", connect)
        async with js_driver() as driver:
            async with driver.client(node, transports=[transport], reconnection=True) as one:
                await eventually(lambda: len(sids) == 2 and one.sid == sids[1])
        await eventually(lambda: node.empty)
        assert node.log[0][2] == "slow consumer"
        sids.clear()
        python = await reconnecting(node.url, [transport])
        await eventually(lambda: python.get_sid() in sids[1:])
        await python.disconnect()
