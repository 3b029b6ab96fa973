"""What is not installed with the package alone is not needed by those who do not ask for it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import asyncio, sys
# As if they were missing:
sys.modules.update(dict.fromkeys(("aiohttp", "kombu", "amqp", "msgpack", "nats", "flask", "tornado")))
import socketio, socketio_cluster
import socketio_cluster.cluster.worker
for name in socketio_cluster.__all__:
    getattr(socketio_cluster, name)

async def main():
    manager = socketio_cluster.ClusterManager()
    sio = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=manager)
    await sio.emit("news", {"price": 3})
    await sio.shutdown()

asyncio.run(main())
"""


def test_extras_are_not_needed():
    """Without them every public name is there, and a worker and an emit in the JSON format work."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
