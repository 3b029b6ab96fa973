"""A server and its manager must be of one kind; what was started ends."""

from __future__ import annotations

import asyncio

import pytest
import socketio

from socketio_cluster import AsyncServer, ClusterManager, SettingError, SyncClusterManager


def test_a_threaded_server_with_the_asyncio_manager():
    """It is refused when it is made, in a sentence that says what to change."""
    with pytest.raises(SettingError, match="takes a SyncClusterManager") as told:
        socketio.Server(async_mode="threading", client_manager=ClusterManager())
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("kind", [socketio.AsyncServer, AsyncServer])
def test_an_asyncio_server_with_the_threaded_manager(kind):
    """It is refused when it is made, in a sentence that says what to change."""
    with pytest.raises(SettingError, match="AsyncServer takes a ClusterManager") as told:
        kind(async_mode="asgi", client_manager=SyncClusterManager())
    assert "\n" not in str(told.value)


async def test_a_start_that_is_given_up():
    """A start that its caller does not wait for to the end leaves no task behind after close()."""
    before = asyncio.all_tasks()
    manager = ClusterManager("redis://127.0.0.1:1")
    socketio.AsyncServer(async_mode="asgi", client_manager=manager)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(manager.start(), 0.1)
    await manager.close()
    await asyncio.sleep(0)  # the cancelled tasks end in this turn
    assert asyncio.all_tasks() == before
