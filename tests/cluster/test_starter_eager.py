"""Coroutines that take their first step at once, beside asyncio's own eager tasks."""

from __future__ import annotations

import asyncio
import sys
from contextvars import copy_context

import pytest

from socketio_cluster.cluster.lane.starter import Spares, starter


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this asyncio has no tasks that begin at once")
@pytest.mark.parametrize("begins", [lambda loop: starter(loop), Spares], ids=["before", "afterwards"])
async def test_tasks_that_begin_at_once(begins):
    """With asyncio's eager tasks, set before or afterwards, a coroutine that has ended is not kept."""
    loop = asyncio.get_running_loop()
    begun = begins(loop) if begins is Spares else None
    await asyncio.sleep(0)
    loop.set_task_factory(asyncio.eager_task_factory)
    try:
        begun = begun or begins(loop)
        seen = []

        async def work(turns):
            for _ in range(turns):
                await asyncio.sleep(0)
            seen.append(turns)

        assert begun.start(work(0), copy_context()) is None
        task = begun.start(work(1), copy_context())
        await task
        assert seen == [0, 1]
    finally:
        loop.set_task_factory(None)
