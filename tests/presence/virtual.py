"""An event loop whose time is not that of the clock: what takes minutes ends at once."""

from __future__ import annotations

import asyncio
import random
import selectors
import time


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time goes on to the next timer when there is nothing else to do, and now and then by some more.

    Args:
        monkeypatch: puts its time in the place of the clock's.
        seed: makes ``random``.
        stall: the most seconds by which the loop is late, as on a machine that has much to do.
    """

    def __init__(self, monkeypatch, seed, stall):
        self.random = random.Random(seed)
        self._now = 1000.0
        self._stall = stall
        epoch = time.time() - self._now
        monkeypatch.setattr(time, "monotonic", lambda: self._now)
        monkeypatch.setattr(time, "time", lambda: self._now + epoch)
        super().__init__(_Selector(self))

    def time(self):
        return self._now

    def run_in_executor(self, executor, function, *args):
        """Run at once: time would go on here while a thread takes some of the clock."""
        done = self.create_future()
        done.set_result(function(*args))
        return done

    def pass_by(self, seconds):
        """Let time pass."""
        late = self.random.random() * self._stall if self.random.random() < 0.3 else 0.0
        self._now += seconds + late


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits for something else"
            self._loop.pass_by(max(0.0, timeout))
        return ready
