"""The turns of a node's rooms after it has left the bus and come back."""

from __future__ import annotations

import socketio_cluster
from tests.harness import eventually


async def test_touched_while_away():
    """A room in which something changes while the node is away is looked at when the node is back."""
    manager = socketio_cluster.ClusterManager()
    socketio_cluster.AsyncServer(async_mode="asgi", client_manager=manager)
    await manager.start()
    await manager.close()
    manager.present.hold(("/", "red"))
    await manager.start()
    try:
        await eventually(lambda: not manager.present._touched)
    finally:
        await manager.close()
