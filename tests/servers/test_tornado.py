"""What is particular to Tornado."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
import socketio
import tornado.httpserver
import tornado.web
import websockets

from socketio_cluster import ClusterManager
from tests.harness import client, eventually


class TornadoNode:
    """A node on Tornado in this event loop, with a log of disconnects."""

    def __init__(self, bus_url, prefix, **options):
        self.manager = ClusterManager(bus_url, prefix=prefix, **options)
        self.sio = socketio.AsyncServer(async_mode="tornado", client_manager=self.manager)
        self.sio.on("connect", lambda sid, environ: None)
        self.sio.on("*", lambda event, sid, *args: args)
        self.gone = []
        self.sio.on("disconnect", lambda sid, reason: self.gone.append(reason))
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        handler = socketio.get_tornado_handler(self.sio)
        self.server = tornado.httpserver.HTTPServer(tornado.web.Application([("/socket.io/", handler)]))
        listener.setblocking(False)
        self.server.add_sockets([listener])


@pytest.fixture
async def node(prefix):
    """A node that lets little wait for a client."""
    one = TornadoNode(None, prefix, client_bytes=100_000)
    yield one
    one.server.stop()
    await one.server.close_all_connections()
    await one.sio.shutdown()


async def test_slow_consumer(node):
    """A client that does not read is disconnected before it fills the memory."""
    url = node.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(url, proxy=None, ping_interval=None, max_queue=1, compression=None) as ws:
        await ws.recv()
        await ws.send("40")
        await ws.recv()
        for _ in range(1000):
            if node.gone:
                break
            await node.sio.emit("news", "x" * 50_000)
            await asyncio.sleep(0.002)  # time enough to write it, to who reads
        assert node.gone == ["slow consumer"]
        assert node.manager.stats.slow_consumers == 1
        ws.transport.abort()


async def test_upgrade(node):
    """A client goes from polling to WebSocket, and nothing is lost or doubled."""
    async with client(node, transports=["polling", "websocket"]) as one:
        for number in range(200):
            await node.sio.emit("news", number, to=one.sid)
            await asyncio.sleep(0)
        assert [await one.next("news") for _ in range(200)] == [[number] for number in range(200)]
        await eventually(lambda: node.sio.transport(one.sid) == "websocket")


async def test_lost_connection(node):
    """A connection that breaks leaves nothing behind."""
    url = node.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    with contextlib.suppress(websockets.ConnectionClosed):
        async with websockets.connect(url, proxy=None) as ws:
            await ws.recv()
            await ws.send("40")
            await ws.recv()
            ws.transport.abort()
    await eventually(lambda: node.gone == ["transport close"])
    await eventually(lambda: not node.manager.rooms and not node.sio.environ)
