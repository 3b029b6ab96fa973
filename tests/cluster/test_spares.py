"""Spares are tasks that wait for a coroutine, one after the other."""

from __future__ import annotations

import asyncio
import gc
from contextvars import copy_context

from socketio_cluster.cluster.lane.starter import Spares
from tests.harness import eventually


async def test_nothing_is_left():
    """A spare that nobody needs any more goes without a word."""
    troubles, loop = [], asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: troubles.append(context))
    spares = Spares(loop)
    await asyncio.sleep(0)
    del spares
    gc.collect()
    assert troubles == []


async def test_spare_that_others_cancelled():
    """After somebody has cancelled all tasks, coroutines run as before."""
    loop = asyncio.get_running_loop()
    begin = Spares(loop).start
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    seen = []

    async def work():
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    for count in (2, 4, 6):
        loop.call_soon(lambda: begin(work(), copy_context()))
        await eventually(lambda count=count: len(seen) == count)
    assert all(a is b for a, b in zip(seen[::2], seen[1::2], strict=True))


async def test_one_spare_serves_many():
    """Coroutines that do not wait and do not look share one task; none is made for them."""
    loop = asyncio.get_running_loop()
    begin = Spares(loop).start
    await asyncio.sleep(0)
    before = asyncio.all_tasks()
    ran = []

    async def work():
        async with asyncio.timeout(1):  # noqa: ASYNC100 - it looks for the current task, and leaves no trace
            ran.append(asyncio.current_task() in before)

    for _ in range(3):
        loop.call_soon(lambda: begin(work(), copy_context()))
    await eventually(lambda: len(ran) == 3)
    assert ran == [True] * 3
    assert asyncio.all_tasks() == before
