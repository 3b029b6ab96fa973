"""Starts coroutines: each takes its first step at once, and one that then waits goes on in a task.

Most handlers of events never wait, and a task for each would cost more than all the rest of an event; also
one that begins at once, as Python 3.12 can make it (``eager_start``). So this file has a *spare*: a task that
waits for work. A coroutine takes its first step in the name of the spare, by the functions that asyncio has
for tasks of other makes (see "Extending asyncio" in Python's documentation). If the coroutine then waits, the
spare goes on with it, and a new spare is made. If it has ended, the spare is used again, but only when nobody
can tell: not after anybody has kept it, cancelled it, asked for its name or given it one.

asyncio tells an error of a task when the task is freed. The error's traceback keeps the variables of all
functions that it has passed. If one of them were the task, the two would keep each other, and the error would
be told only when garbage is collected, which may take minutes. So such variables are deleted, and functions
that call these have none.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from sys import getrefcount
from types import coroutine
from typing import Any, Final, cast
from weakref import getweakrefcount

Work = Coroutine[Any, Any, None]
_ENDED: Final = object()


def starter(loop: asyncio.AbstractEventLoop) -> Spares | Tasks:
    """Return what starts coroutines in a running loop."""
    return Spares(loop) if loop.get_task_factory() is None else Tasks(loop)


class Tasks:
    """Starts coroutines in tasks, for a loop whose tasks are all made by a factory of its own.

    Args:
        loop: the loop, which runs.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def start(self, work: Work, context: Context) -> asyncio.Task[None] | None:
        """Start a coroutine in a context, as ``Spares`` does."""
        return _goes_on(self._loop.create_task(work, context=context))


class Spares:
    """Starts coroutines by a spare task.

    When there is none, or another task runs, the coroutine gets a task of its own.

    Args:
        loop: the loop, which runs.
    """

    __slots__ = ("_loop", "free")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.free: Spare | None = None
        """The spare that waits for work."""
        self._renew()

    def start(self, work: Work, context: Context) -> asyncio.Task[None] | None:
        """Start a coroutine in a context.

        Return the task in which the coroutine goes on, or None when it has ended. An error goes to asyncio's
        handler of exceptions, as that of any task that nobody waits for.
        """
        if self.free is not None and self.free.touched:
            self.replace(self.free)
        if self.free is None:
            return _goes_on(self._loop.create_task(work, context=context))
        return self.step(work, context)

    def step(self, work: Work, context: Context) -> asyncio.Task[None] | None:
        """Start a coroutine in the name of the spare that waits, whatever was done to it."""
        loop, spare = self._loop, cast(Spare, self.free)
        # Of the attribute, as the interpreter counts a local variable or, since 3.14, may not.
        known = getrefcount(self.free) + getweakrefcount(spare)
        try:
            _enter_task(loop, spare)
        except RuntimeError:  # another task runs
            self.replace(spare)  # what is started next must not overtake this
            return _goes_on(loop.create_task(work, context=context))
        failing = False
        try:
            # `next` with a default costs a third of `send`, which ends with an exception.
            waits_for = context.run(next, work.__await__(), _ENDED)
        except BaseException as error:
            work, waits_for, failing = _failed(error), None, True
        finally:
            _leave_task(loop, spare)
        if waits_for is _ENDED:
            if self.free is spare and (
                spare.touched or getrefcount(self.free) + getweakrefcount(spare) != known
            ):
                self.replace(spare)
            return None
        self._renew()
        spare.go_on(work, context, waits_for)
        if not failing:
            return spare
        del spare  # for the error to be told, see above
        return None

    def replace(self, spare: Spare) -> None:
        """Use another spare from now on."""
        self._renew()
        spare.retire()

    def _renew(self) -> None:
        self.free = None
        Spare(self._loop, self._take)

    def _take(self, spare: Spare) -> None:
        self.free = spare


class Spare(asyncio.Task[None]):
    """A task that waits for a coroutine that has taken its first step, and goes on with it.

    Args:
        loop: the loop.
        ready: is called when it waits.
    """

    __slots__ = ("_parked", "_rest", "touched")

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Callable[[Spare], None]) -> None:
        self.touched = False
        """Whether somebody has done what would be seen by the next user of this task."""
        self._parked: asyncio.Future[None] = loop.create_future()
        self._rest: tuple[Work, Context, Any] | None = None
        super().__init__(self._live(ready), loop=loop, context=Context())
        self._log_destroy_pending = False  # to end with its loop is no fault of a task without work

    async def _live(self, ready: Callable[[Spare], None]) -> None:
        ready(self)
        cancelled = None
        try:
            await self._parked
        except asyncio.CancelledError as error:
            cancelled = error
        rest, self._rest = self._rest, None
        del self  # for an error to be told, see above
        if rest is not None:
            await _go_on(*rest, cancelled)
        elif cancelled is not None:
            raise cancelled

    def go_on(self, work: Work, context: Context, waits_for: Any) -> None:
        """Go on with a coroutine that has waited for something in its first step."""
        self._log_destroy_pending = True
        self._rest = work, context, waits_for
        self.retire()

    def retire(self) -> None:
        """Stop waiting for work. If it has none, the task ends."""
        if not self._parked.done():  # a cancelled task waits no more
            self._parked.set_result(None)

    def cancel(self, msg: Any = None) -> bool:
        """Cancel, as any task."""
        self.touched = True
        return super().cancel(msg)

    def add_done_callback(self, *args: Any, **options: Any) -> None:
        """Add a callback, as to any task."""
        self.touched = True
        super().add_done_callback(*args, **options)

    def get_name(self) -> str:
        """Return the name, as any task."""
        self.touched = True
        return super().get_name()

    def set_name(self, value: object) -> None:
        """Change the name, as any task."""
        self.touched = True
        super().set_name(value)


@coroutine
def _go_on(
    work: Work, context: Context, waits_for: Any, cancelled: BaseException | None
) -> Generator[Any, None, None]:
    """Do with a coroutine what a task does, from the first thing that it waits for to its end.

    Args:
        work: the coroutine.
        context: its context. That of this task is another one.
        waits_for: a future, or None if it only gives others a turn, which they have had meanwhile.
        cancelled: the error by which the task was cancelled in the first step, or since. What the coroutine
            waits for is cancelled then, as by a task; if that cannot be, the coroutine gets this error.
    """
    error = cancelled
    if waits_for is not None:
        if error is not None and waits_for.cancel():
            error = None
        if error is None:
            error = yield from _wait(waits_for)
    while True:
        try:
            waits_for = context.run(work.send, None) if error is None else context.run(work.throw, error)
        except StopIteration:
            return
        error = yield from _wait(waits_for)


def _wait(waits_for: Any) -> Generator[Any, None, BaseException | None]:
    try:
        yield waits_for
    except BaseException as error:
        return error
    return None


def _goes_on(task: asyncio.Task[None]) -> asyncio.Task[None] | None:
    """Return a task, or None if it has ended: those of ``eager_task_factory`` begin when they are made."""
    return None if task.done() else task


async def _failed(error: BaseException) -> None:
    raise error
