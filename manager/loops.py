"""Event loops: the one that a node belongs to, and one in a thread of its own for callers that block."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread of its own. It runs coroutines for any thread until ``stop()`` is called."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._stopping = False
        self._ended = asyncio.Event()
        # The thread is a daemon, so that a process that forgets to close its emitter can still end.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop; returns what it returns and raises what it raises.

        The calling thread blocks meanwhile. An interrupt of that thread cancels the coroutine. Raises
        ``RuntimeError`` if the loop is stopped before the coroutine has ended.
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
        """Call a function on the loop, without waiting for it.

        In the loop's own thread it is called at once. In another thread it is called soon, or never if the
        loop has been stopped.
        """
        if threading.current_thread() is self._thread:
            function(*arguments)
            return
        with self._lock:
            if not self._stopping:
                self._loop.call_soon_threadsafe(function, *arguments)

    def stop(self) -> None:
        """Cancel what runs and end the thread. Returns when the thread has ended."""
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
    """Remembers the event loop that a node belongs to, and notices when the loop or the process has changed.

    A loop may end without notice and be followed by another one. This happens with two calls of
    ``asyncio.run``, with pytest-asyncio, with a test client and with ``async_to_sync``. A process may also be
    forked after the application was imported.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = os.getpid()

    def entered(self) -> bool:
        """Remember the running loop. Returns whether it replaces another loop or the loop of another process.

        Raises ``RuntimeError`` if the other loop still runs in another thread.
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
