"""The supervisor's end of the socket pair that ties a worker to it."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from socketio_cluster.cluster.supervisor.worker_process import WorkerProcess


@pytest.fixture
async def unread():
    """A worker that has ended before it read its options, as one does that is stopped while it starts."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    writer.write(b"options")
    await writer.drain()
    theirs.close()  # with something unread in it: the other end is reset
    yield WorkerProcess(process, reader, writer)
    await process.wait()
    writer.close()


async def test_it_is_seen_to_end(unread):
    """Who waits until it accepts is told that it has ended."""
    assert await unread.ready(30) == "ended with code 0"


async def test_its_drain_is_over(unread):
    """Who lets its clients go waits for nothing."""
    async with asyncio.timeout(30):
        await unread.drain(60, asyncio.Event(), replaced=True)
