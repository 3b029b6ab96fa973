"""A server and its manager must be of one kind."""

from __future__ import annotations

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
