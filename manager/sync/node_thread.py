"""The thread of a threaded server's node: an event loop, and the node that runs on it."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from socketio_cluster.manager.loops import LoopThread
from socketio_cluster.manager.sync.inner_manager import InnerManager

T = TypeVar("T")


class NodeThread:
    """Starts the thread and the node at their first use in a process, and new ones after a fork.

    Args:
        make: makes the node. It is called once in each process.
    """

    def __init__(self, make: Callable[[], InnerManager]) -> None:
        self._make = make
        self._closed = False
        # The keys are process ids: after a fork the parent's thread is missing, and its lock may stay locked.
        self._locks: dict[int, threading.Lock] = {}
        self._parts: dict[int, tuple[LoopThread, InnerManager]] = {}

    @property
    def inner(self) -> InnerManager:
        """The node of this process."""
        return self._started()[1]

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait; returns what it returns and raises what it raises.

        Raises ``RuntimeError`` if the node has left.
        """
        try:
            loop, _ = self._started()
        except BaseException:
            coroutine.close()
            raise
        return loop.run(coroutine)

    def ask(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function on the loop and wait; returns what it returns and raises what it raises."""
        return self.run(_call(function, *arguments))

    def later(self, seconds: float, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function on the loop after some time, unless the node has left by then."""
        self.ask(lambda: asyncio.get_running_loop().call_later(seconds, function, *arguments))

    def tell(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function on the loop without waiting for it.

        In the loop's own thread it is called at once, in other threads soon. It is not called if this process
        has no node.
        """
        parts = self._parts.get(os.getpid())
        if parts is not None:
            parts[0].tell(function, *arguments)

    def close(self) -> None:
        """Say goodbye to the other nodes and leave the bus for good. This takes about a second at most."""
        with self._lock():
            self._closed = True
            parts = self._parts.pop(os.getpid(), None)
        if parts is not None:
            atexit.unregister(self.close)
            loop, inner = parts
            try:
                loop.run(inner.close())
            finally:
                loop.stop()

    def _started(self) -> tuple[LoopThread, InnerManager]:
        parts = self._parts.get(os.getpid())
        return parts if parts is not None else self._start()

    def _start(self) -> tuple[LoopThread, InnerManager]:
        with self._lock():
            if self._closed:
                raise RuntimeError("this node has left the cluster")
            if os.getpid() not in self._parts:
                inner = self._make()
                self._parts[os.getpid()] = LoopThread("cluster-node"), inner
                atexit.register(self.close)
            return self._parts[os.getpid()]

    def _lock(self) -> threading.Lock:
        return self._locks.setdefault(os.getpid(), threading.Lock())


async def _call(function: Callable[..., T], *arguments: Any) -> T:
    return function(*arguments)
