"""Two official Socket.IO servers on a Redis adapter, in one process of Node.js, and bridges to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from types import SimpleNamespace

from socketio_cluster.manager.bridge.bridge import Bridge
from socketio_cluster.manager.bridge.bridge_manager import BridgeManager
from socketio_cluster.manager.bridge.nodejs.classic import Classic
from socketio_cluster.manager.bridge.nodejs.sharded import Sharded
from socketio_cluster.manager.brokers import redis_patterns
from socketio_cluster.manager.brokers.redis import SHARDED, RedisBroker
from socketio_cluster.manager.brokers.redis_url import read_settings
from tests.harness import SECONDS
from tests.jsclient import HERE, install
from tests.services.process import program

NAMESPACES = ("/", "/chat")


class NodeServers:
    """The servers; ``urls`` are their addresses."""

    def __init__(self, process):
        self._process = process
        self._turn = asyncio.Lock()
        self.urls = []

    async def begin(self):
        self.urls = await self._line()
        self.all = [SimpleNamespace(url=url) for url in self.urls]

    async def run(self, code):
        """Run code with ``servers``, ``emitter`` and ``log``, and give what it returns."""
        async with self._turn:
            self._process.stdin.write(json.dumps(code).encode() + b"\n")
            said = await self._line()
        assert "error" not in said, said["error"]
        return said["result"]

    async def log(self):
        """What the servers have noted."""
        return await self.run("return log")

    async def _line(self):
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), SECONDS))


@contextlib.asynccontextmanager
async def node_servers(redis_url, kind, key, *, count=2):
    """Start the servers; they end with their stdin."""
    install()
    options = {"url": redis_url, "kind": kind, "key": key, "namespaces": NAMESPACES, "count": count}
    process = await asyncio.create_subprocess_exec(
        program("node", package="nodejs"),
        str(HERE / "adapter.js"),
        json.dumps(options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    servers = NodeServers(process)
    try:
        await servers.begin()
        yield servers
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), SECONDS)


def node_bridge(bus_url, prefix, redis_url, kind, key, **options):
    """A bridge to Node.js's servers that has not been started."""
    dialect = {"classic": Classic, "sharded": Sharded}[kind]

    async def connect():
        if kind == "classic":
            return await redis_patterns.connect(redis_url)
        return await RedisBroker(read_settings(redis_url), SHARDED).open()

    return Bridge(
        BridgeManager(bus_url, prefix=prefix, name="bridge", **options),
        connect,
        lambda node, is_peer: dialect(node, is_peer, NAMESPACES, key),
    )
