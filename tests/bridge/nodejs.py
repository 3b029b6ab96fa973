"""Two official Socket.IO servers on a Redis adapter, in one process of Node.js, and bridges to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import uuid
from types import SimpleNamespace

from socketio_cluster.manager.bridge.bridge import Bridge
from socketio_cluster.manager.bridge.bridge_manager import BridgeManager
from socketio_cluster.manager.bridge.nodejs.classic import Classic
from socketio_cluster.manager.bridge.nodejs.sharded import Sharded
from socketio_cluster.manager.brokers import redis_foreign
from tests.harness import SECONDS
from tests.jsclient import HERE, install
from tests.services.process import program

NAMESPACES = ("/", "/chat")


class NodeServers:
    """The servers: their adapter's kind and key, and the address of each."""

    def __init__(self, process, kind, key):
        self._process = process
        self.kind = kind
        self.key = key
        self.all = [SimpleNamespace(url=url) for url in json.loads(process.stdout.readline())]

    async def run(self, code):
        """Run code with ``servers``, ``emitter`` and ``log``, and give what it returns."""
        return await asyncio.wait_for(asyncio.to_thread(self._run, code), SECONDS)

    def _run(self, code):
        self._process.stdin.write(json.dumps(code).encode() + b"\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        assert "error" not in said, said["error"]
        return said["result"]

    async def log(self):
        """What the servers have noted."""
        return await self.run("return log")


@contextlib.contextmanager
def node_servers(redis_url, kind, *, count=2):
    """Start the servers; they end with their stdin."""
    install()
    key = f"sio-{uuid.uuid4().hex[:8]}"
    options = {"url": redis_url, "kind": kind, "key": key, "namespaces": NAMESPACES, "count": count}
    command = [program("node", package="nodejs"), str(HERE / "adapter.js"), json.dumps(options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield NodeServers(process, kind, key)
        finally:
            process.stdin.close()
            process.wait(SECONDS)


def node_bridge(bus_url, prefix, redis_url, kind, key, **options):
    """A bridge to Node.js's servers that has not been started."""
    dialect = {"classic": Classic, "sharded": Sharded}[kind]

    return Bridge(
        BridgeManager(bus_url, prefix=prefix, name="bridge", **options),
        lambda: redis_foreign.connect(redis_url, sharded=kind == "sharded"),
        lambda node, is_peer: dialect(node, is_peer, NAMESPACES, key),
    )
