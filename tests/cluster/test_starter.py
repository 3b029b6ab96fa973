"""A coroutine that takes its first step at once finds itself in a task, as one that was given a task."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context

import pytest

from socketio_cluster.cluster.lane.starter import Spares, starter
from tests.harness import eventually

NAME = ContextVar("name", default="outer")


def tasks(loop):
    """Start as asyncio does: this is what the others are measured by."""
    return lambda work, context: loop.create_task(work, context=context)


@pytest.fixture(
    params=[tasks, lambda loop: starter(loop).start, lambda loop: Spares(loop).start],
    ids=["tasks", "starter", "spares"],
)
async def start(request):
    """A function that starts a coroutine from a callback of the loop, as a lane does."""
    loop = asyncio.get_running_loop()
    begin = request.param(loop)
    await asyncio.sleep(0)  # a spare comes to wait

    async def run(work):
        done = loop.create_future()
        loop.call_soon(lambda: done.set_result(begin(work, copy_context())))
        return await done

    return run


@pytest.fixture
async def troubles():
    """What the loop's handler of exceptions is told."""
    found = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: found.append(context))
    yield found
    loop.set_exception_handler(None)


async def finished(start, work):
    """Start a coroutine and return what it notes, when it has ended."""
    notes = []
    ended = asyncio.Event()

    async def whole():
        try:
            await work(notes.append)
        except BaseException as error:
            notes.append(type(error))
            raise
        finally:
            ended.set()

    await start(whole())
    await asyncio.wait_for(ended.wait(), 30)
    return notes


async def test_timeout(start):
    """A timeout that begins in the first step ends what comes after it, and nothing else."""

    async def work(note):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        note(asyncio.current_task().cancelling())
        await asyncio.sleep(0)
        note("on")

    assert await finished(start, work) == [0, "on"]


async def test_task_group(start):
    """A task group made in the first step waits for its tasks, and an error of one cancels the body."""

    async def fails():
        raise ValueError

    async def work(note):
        async with asyncio.TaskGroup() as group:
            one = group.create_task(asyncio.sleep(0, "done"))
        note(one.result())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                await asyncio.Event().wait()
        except ExceptionGroup as errors:
            note(type(errors.exceptions[0]))
        note(asyncio.current_task().cancelling())

    assert await finished(start, work) == ["done", ValueError, 0]


@pytest.mark.parametrize(
    "wait", [lambda: asyncio.Event().wait(), lambda: asyncio.sleep(0)], ids=["event", "turn"]
)
async def test_cancelled_in_the_first_step(start, wait):
    """A coroutine that cancels its task gets the error at the next thing that it waits for, once."""

    async def work(note):
        asyncio.current_task().cancel()
        try:
            await wait()
        except asyncio.CancelledError:
            note(asyncio.current_task().uncancel())
        await asyncio.sleep(0)
        note("on")

    assert await finished(start, work) == [0, "on"]


async def test_cancelled_by_others(start):
    """A task that others cancel while it waits ends with that error, at once or after some steps."""
    for steps in range(4):
        running = []

        async def work(note, running=running):
            running.append(asyncio.current_task())
            await asyncio.Event().wait()

        notes = asyncio.create_task(finished(start, work))
        await eventually(lambda running=running: running)
        for _ in range(steps):
            await asyncio.sleep(0)
        running[0].cancel()
        assert await notes == [asyncio.CancelledError]
        await eventually(lambda running=running: running[0].cancelled())


async def test_same_task_in_all_steps(start):
    """The current task is the same in all steps and among all tasks, and that of others another one."""
    seen = []

    async def work(note):
        one = asyncio.current_task()
        one.set_name(f"mine {len(seen)}")
        for _ in range(3):
            await asyncio.sleep(0)
            note(asyncio.current_task() is one and one in asyncio.all_tasks())
        note(one.get_name())
        seen.append(one)

    assert await finished(start, work) == [True, True, True, "mine 0"]
    assert await finished(start, work) == [True, True, True, "mine 1"]
    assert seen[0] is not seen[1]


async def keep(kept):
    kept.append(asyncio.current_task())


async def by_name(kept):
    kept.append(asyncio.current_task().get_name())


async def named(kept):
    asyncio.current_task().set_name("once")
    kept.append(object())


async def cancelled(kept):
    asyncio.current_task().cancel()
    kept.append(object())


@pytest.mark.parametrize("use", [keep, by_name])
async def test_who_does_not_wait_is_alone_too(start, use):
    """Two coroutines that do not wait see two tasks, if they look at more than that there is one."""
    kept = []
    for _ in range(3):
        await start(use(kept))
        await eventually(lambda: len(kept) in (1, 2, 3))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert len(set(kept)) == 3


@pytest.mark.parametrize("use", [named, cancelled])
async def test_what_one_did_does_not_reach_the_next(start, use):
    """A name or a cancellation that a coroutine has left behind is not found by the next one."""
    kept = []
    await start(use(kept))
    await eventually(lambda: kept)

    async def work(note):
        note(asyncio.current_task().get_name() == "once")
        await asyncio.sleep(0)
        note(asyncio.current_task().cancelling())

    assert await finished(start, work) == [False, 0]


async def test_callback_of_the_task(start):
    """A callback that a coroutine adds to its task is called after it has ended, whether it waits or not."""
    for turns in range(3):
        called = []

        async def work(turns=turns, called=called):
            asyncio.current_task().add_done_callback(lambda task: called.append(task.done()))
            for _ in range(turns):
                await asyncio.sleep(0)

        await start(work())
        await eventually(lambda called=called: called == [True])


async def test_context_variables(start):
    """What a coroutine sets is there in all of its steps, and for nobody else."""

    async def work(note):
        note(NAME.get())
        NAME.set("inner")
        for _ in range(3):
            await asyncio.sleep(0)
            note(NAME.get())

    for _ in range(2):
        assert await finished(start, work) == ["outer", "inner", "inner", "inner"]
    assert NAME.get() == "outer"


@pytest.mark.parametrize("turns", range(3))
async def test_errors_are_told(start, troubles, turns, no_collector):
    """An error, of the first step or later, goes to the loop's handler at once; others run on."""

    async def work(note):
        for _ in range(turns):
            await asyncio.sleep(0)
        raise ValueError("of the handler")

    assert await finished(start, work) == [ValueError]
    await eventually(lambda: [str(each["exception"]) for each in troubles] == ["of the handler"])

    async def other(note):
        await asyncio.sleep(0)
        note("on")

    assert await finished(start, other) == ["on"]


async def test_what_it_waited_for_fails(start):
    """The error of what a coroutine waits for reaches it, also if that had failed before."""
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(ValueError())

    async def work(note):
        for future in (failed, asyncio.ensure_future(asyncio.wait_for(asyncio.sleep(9), 0))):
            try:
                await future
            except (ValueError, TimeoutError) as error:
                note(type(error))

    assert await finished(start, work) == [ValueError, TimeoutError]


async def test_started_within_another(start):
    """A coroutine that is started in the first step of another runs, and each sees a task of its own."""
    loop = asyncio.get_running_loop()
    begin = Spares(loop).start
    await asyncio.sleep(0)
    seen = []

    async def inner():
        seen.append(asyncio.current_task())

    async def outer(note):
        begin(inner(), copy_context())
        seen.append(asyncio.current_task())
        await eventually(lambda: len(seen) == 2)
        note(seen[0] is seen[1])

    assert await finished(start, outer) == [False]
