"""An event loop in a thread of its own, for callers that block."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for any thread, from its creation until ``stop()``."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._stopping = False
        self._ended = asyncio.Event()
        # A daemon, so that a process that forgets to close its emitter can still end.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns or raise what it raises; an interrupt cancels it.

        Raises ``RuntimeError`` when the thread is stopped before it is done.
        """
        with self._lock:
            if self._stopping:
                coroutine.close()
                raise RuntimeError("the event loop of this thread was stopped")
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise RuntimeError("the event loop of this thread was stopped") from None
        except BaseException:
            future.cancel()
            raise

    def tell(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function: at once, when this is the loop's thread, else soon, unless it is stopped."""
        if threading.current_thread() is self._thread:
            function(*arguments)
            return
        with self._lock:
            if not self._stopping:
                self._loop.call_soon_threadsafe(function, *arguments)

    def stop(self) -> None:
        """Cancel what runs and end the thread; returns when it has ended."""
        with self._lock:
            self._stopping = True
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        await self._ended.wait()


class OwnLoop:
    """Remembers a loop, and tells when what lived on it has to be made anew.

    A loop may end without a word and be followed by another one: ``asyncio.run`` twice, pytest-asyncio, a
    test client, ``async_to_sync``. A process may also be forked after the application was imported.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = os.getpid()

    def entered(self) -> bool:
        """Remember the running loop; whether another one, or another process, was remembered before.

        Raises ``RuntimeError`` when that other loop still runs, in another thread.
        """
        loop, process = asyncio.get_running_loop(), os.getpid()
        forked, before = process != self._process, self._loop
        if before is loop and not forked:
            return False
        if before is not None and before.is_running() and not forked:
            raise RuntimeError(
                "this node lives on the event loop of another thread: hand the coroutine over with"
                " asyncio.run_coroutine_threadsafe(coroutine, loop), or use an Emitter or AsyncEmitter here"
            )
        self._loop, self._process = loop, process
        return forked or before is not None
