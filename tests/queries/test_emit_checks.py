"""What an emit cannot mean is refused with a sentence by every server and emitter; nobody gets it."""

from __future__ import annotations

import pytest
import socketio

import socketio_cluster
from socketio_cluster import AsyncEmitter, ClusterManager, Emitter, SyncClusterManager

WRONG = [
    ({"event": ""}, "an event needs a name"),
    ({"event": "news", "namespace": ""}, "a namespace begins with '/': '/', not ''"),
    ({"event": "news", "room": True}, "a room is named by a str or an int, not bool: True"),
    ({"event": "news", "room": ["red", False]}, "a room is named by a str or an int, not bool: False"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG)
@pytest.mark.parametrize("kind", [socketio.AsyncServer, socketio_cluster.AsyncServer])
async def test_asyncio(kind, wrong, text):
    """A server on asyncio, stock or ours, with one of our arguments or without."""
    sio = kind(async_mode="asgi", client_manager=ClusterManager(None))
    with pytest.raises((TypeError, ValueError), match=text):
        await sio.emit(**wrong)
    if kind is socketio_cluster.AsyncServer:
        with pytest.raises((TypeError, ValueError), match=text):
            await sio.emit(**wrong, volatile=True)
    await sio.shutdown()


@pytest.mark.parametrize(("wrong", "text"), WRONG)
@pytest.mark.parametrize("kind", [socketio.Server, socketio_cluster.Server])
def test_threads(kind, wrong, text):
    """A server on threads, stock or ours."""
    sio = kind(async_mode="threading", client_manager=SyncClusterManager(None))
    with pytest.raises((TypeError, ValueError), match=text):
        sio.emit(**wrong)
    sio.shutdown()


@pytest.mark.parametrize(("wrong", "text"), WRONG)
async def test_emitters(redis_url, prefix, wrong, text):
    """An emitter, blocking or not."""
    async with AsyncEmitter(redis_url, prefix=prefix) as emitter:
        with pytest.raises((TypeError, ValueError), match=text):
            await emitter.emit(**wrong)


def test_blocking_emitter(redis_url, prefix):
    """An emitter that blocks says the same."""
    with Emitter(redis_url, prefix=prefix) as emitter:
        for wrong, text in WRONG:
            with pytest.raises((TypeError, ValueError), match=text):
                emitter.emit(**wrong)
