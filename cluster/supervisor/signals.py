"""The wish to stop, shared by the supervisor and its slots."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any


class Stopping:
    """Three events: `asked` lets workers drain, `hurry` ends their drains, `kill` kills what is left."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()
        self.kill = asyncio.Event()
        self._signals = [self.asked, self.hurry, self.kill]
        self._draining = 0
        self._drained = asyncio.Event()

    def drain(self) -> None:
        """Set `asked`; the first signal then adds nothing."""
        self.asked.set()

    async def together(self, drain: Coroutine[Any, Any, None]) -> None:
        """Run the drain of one worker; returns when those of all are over.

        Until then any worker may get the requests of any other's clients, and passes them on.
        """
        self._draining += 1
        try:
            await drain
        finally:
            self._draining -= 1
            if not self._draining:
                self._drained.set()
        await self._drained.wait()

    def signalled(self) -> None:
        """At the first signal set `asked`, at the second one `hurry`, at the third one `kill`."""
        if self._signals:
            self._signals.pop(0).set()


class Terminal:
    """The terminal that this process was started from, unless it shall outlive it, as nohup says."""

    def __init__(self) -> None:
        self._ours = _is_there() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    def is_gone(self) -> bool:
        """Whether there was one, and now there is none."""
        return self._ours and not _is_there()


def _is_there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
