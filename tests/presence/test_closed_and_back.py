"""The turns of a node's rooms after it has left the bus and come back."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_closed_while_it_asks(nodes, monkeypatch):
    """What a node asked others about a room when it was closed, it asks again when it is back."""
    a, b, _ = nodes
    present = a.manager.present
    with monkeypatch.context() as silent:
        silent.setattr(type(a.manager.node), "hears", False)  # So nobody is asked.
        room = present.hold(("/", "tea"))
        present.completing.repair(b.manager.node_id, room)
        await a.manager.close()
    assert not room.found
    assert room.repairing
    await a.manager.start()
    await eventually(lambda: room.found and not room.repairing)
