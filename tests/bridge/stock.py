"""A cluster of python-socketio's own servers, and bridges between it and nodes of ours."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import socketio
import uvicorn

from socketio_cluster.manager.bridge.bridge import Bridge
from socketio_cluster.manager.bridge.bridge_manager import BridgeManager
from socketio_cluster.manager.bridge.stock.stock import Stock
from socketio_cluster.manager.bus.registry import open_broker
from tests.harness import Server, eventually


class StockServer:
    """One of python-socketio's own servers on a Redis channel; its log is that of ``tests.harness.Node``."""

    def __init__(self, redis_url, channel):
        self.manager = socketio.AsyncRedisManager(redis_url, channel=channel)
        self.sio = socketio.AsyncServer(async_mode="asgi", client_manager=self.manager)
        self.log = []
        for namespace in ("/", "/chat"):
            self.sio.on("connect", self._connect, namespace=namespace)
            self.sio.on("disconnect", self._disconnect, namespace=namespace)

    def _connect(self, sid, environ, auth):
        self.log.append(("connect", sid))

    def _disconnect(self, sid, reason):
        self.log.append(("disconnect", sid, reason))

    async def start(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            socketio.ASGIApp(self.sio), lifespan="off", log_level="warning", timeout_graceful_shutdown=1
        )
        self.server = Server(config)
        # As the first client would do; then this waits until Redis has the subscription.
        self.sio.manager_initialized = True
        self.manager.set_server(self.sio)
        self.manager.initialize()
        self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
        await eventually(
            lambda: self.server.started and self.manager.pubsub and self.manager.pubsub.subscribed
        )

    async def stop(self):
        self.server.should_exit = True
        await self.serving
        self.manager.thread.cancel()
        await asyncio.gather(self.manager.thread, return_exceptions=True)
        await self.manager.pubsub.aclose()
        await self.manager.redis.aclose()
        await self.sio.shutdown()


@contextlib.asynccontextmanager
async def stock_servers(redis_url, channel, *, count=2):
    """Some servers that hear each other."""
    servers = [StockServer(redis_url, channel) for _ in range(count)]
    try:
        for server in servers:
            await server.start()
        yield servers
    finally:
        await asyncio.gather(*(server.stop() for server in servers if hasattr(server, "serving")))


def make_bridge(bus_url, prefix, redis_url, channel, *, old=False, **options):
    """A bridge that has not been started."""
    return Bridge(
        BridgeManager(bus_url, prefix=prefix, name="bridge", **options),
        lambda: open_broker(redis_url),
        lambda node, is_peer: Stock(node, is_peer, channel, old=old),
    )


@contextlib.asynccontextmanager
async def bridge(nodes, *where, works=True, **options):
    """A bridge that works, and that all these nodes know."""
    one = make_bridge(*where, **options)
    await one.start()
    try:
        await eventually(lambda: all(one.manager.node_id in node.manager.node.bridges for node in nodes))
        if works:
            await eventually(lambda: one.works)
        yield one
    finally:
        await one.close()
