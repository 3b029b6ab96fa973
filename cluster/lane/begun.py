"""A handler that has taken its first step in C (``_short.c``), as a function in the place of the handler.

A call goes on with it: it raises what the handler has raised, returns what it has returned, or a coroutine
that does what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any


class Begun:
    """What is left of a handler after its first step.

    Args:
        work: the handler's coroutine, if it waits.
        value: what it waits for, or else the result.
        error: what was raised.
        seconds: how long the step took.
    """

    __slots__ = ("_error", "_value", "_work", "seconds")

    def __init__(
        self,
        work: Coroutine[Any, Any, Any] | None,
        value: Any,
        error: BaseException | None,
        seconds: float,
    ) -> None:
        self._work = work
        self._value = value
        self._error = error
        self.seconds = seconds

    def __call__(self, *_: Any) -> Any:
        """Go on, once. The arguments are those of the handler, which has them."""
        work, value, error = self._work, self._value, self._error
        self._work = self._value = self._error = None
        try:
            if error is not None:
                raise error
            return value if work is None else _rest(work, value)
        finally:
            del error  # its traceback has this function


async def _rest(work: Coroutine[Any, Any, Any], waits_for: Any) -> Any:
    return await _steps(work, waits_for)


@coroutine
def _steps(work: Coroutine[Any, Any, Any], waits_for: Any) -> Generator[Any, Any, Any]:
    """Do what ``await work`` does, from the first thing on that the coroutine waits for."""
    step: Callable[[], Any]
    while True:
        try:
            sent = yield waits_for
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:
            step = partial(work.throw, error)
        else:
            step = partial(work.send, sent)
        try:
            waits_for = step()
        except StopIteration as end:
            return end.value
        finally:
            del step  # an error keeps this function, and must not be kept by it
