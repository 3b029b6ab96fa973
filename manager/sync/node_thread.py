"""What a process has of a manager: an event loop in a thread, and the node that lives there."""

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
    """Makes the node at its first use in a process, and another one after a fork.

    Args:
        make: makes the node; called once in each process.
    """

    def __init__(self, make: Callable[[], InnerManager]) -> None:
        self._make = make
        self._closed = False
        # By process id: after a fork the thread of the parent is missing, and a lock may be held for ever.
        self._locks: dict[int, threading.Lock] = {}
        self._parts: dict[int, tuple[LoopThread, InnerManager]] = {}

    @property
    def inner(self) -> InnerManager:
        """The node of this process."""
        return self._here()[1]

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop; returns what it returns and raises what it raises.

        Raises ``RuntimeError`` when the node has left.
        """
        try:
            loop, _ = self._here()
        except BaseException:
            coroutine.close()
            raise
        return loop.run(coroutine)

    def ask(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function on the loop; returns what it returns and raises what it raises."""
        return self.run(_call(function, *arguments))

    def later(self, seconds: float, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function on the loop after some time, if this node lives then."""
        self.ask(lambda: asyncio.get_running_loop().call_later(seconds, function, *arguments))

    def tell(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function on the loop: at once, when this is its thread, else soon and without waiting."""
        parts = self._parts.get(os.getpid())
        if parts is not None:
            parts[0].tell(function, *arguments)

    def close(self) -> None:
        """Say goodbye to the other nodes and leave the bus for good, within about a second."""
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

    def _here(self) -> tuple[LoopThread, InnerManager]:
        parts = self._parts.get(os.getpid())
        return parts if parts is not None else self._settle()

    def _settle(self) -> tuple[LoopThread, InnerManager]:
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
