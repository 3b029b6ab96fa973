"""A node that closes ends its tasks, also those that begin others while they are cancelled."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import ClusterManager
from socketio_cluster.manager.tasks import ROUNDS


async def turns(count):
    """Let other tasks run so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("before", range(5))
@pytest.mark.parametrize("after", range(5))
async def test_a_task_that_begins_another_as_it_is_cancelled(before, after):
    """Both end, whichever is the first, and close() returns."""
    manager, children = ClusterManager(), []
    await manager.start()

    async def parent():
        try:
            await asyncio.Event().wait()
        finally:
            await turns(before)
            children.append(manager.spawn(turns(1)))
            await turns(after)

    task = manager.spawn(parent())
    await turns(1)
    await manager.close()
    assert task.done()
    assert all(child.done() for child in children)
    assert len(children) == 1
    assert not manager._tasks


@pytest.mark.timeout(10)
async def test_tasks_without_end(caplog):
    """Tasks of which each begins another for ever are left, and the log says so."""
    manager, begun = ClusterManager(), []
    await manager.start()
    over = False

    async def endless():
        try:
            await asyncio.Event().wait()
        finally:
            if not over:
                begun.append(manager.spawn(endless()))
                await turns(2)

    manager.spawn(endless())
    await turns(1)
    await manager.close()
    over = True
    assert len(begun) == ROUNDS
    assert "begin others" in caplog.text
    begun[-1].cancel()
    await asyncio.gather(*begun, return_exceptions=True)
