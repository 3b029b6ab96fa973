"""The requests that signals make.

To stop, which slots share, and to reload, unless the terminal has closed.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any


class Stopping:
    """Three events.

    `asked` lets workers drain, `hurry` ends their drains, `kill` kills the processes that are left.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()
        self.kill = asyncio.Event()
        self._signals = [self.asked, self.hurry, self.kill]
        self._draining = 0
        self._drained = asyncio.Event()

    def drain(self) -> None:
        """Set `asked`. The first signal after that changes nothing."""
        self.asked.set()

    async def together(self, drain: Coroutine[Any, Any, None]) -> None:
        """Run the drain of one worker; return when the drains of all workers are over.

        Until then each worker may get requests of clients of the others, and passes them on.
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
        """Set `asked` at the first signal, `hurry` at the second, and `kill` at the third."""
        if self._signals:
            self._signals.pop(0).set()


class Terminal:
    """The terminal that this process was started from.

    Under nohup the process outlives it, so it has none.
    """

    def __init__(self) -> None:
        self._ours = _is_there() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    def is_gone(self) -> bool:
        """Return whether there was a terminal at the start, and now there is none."""
        return self._ours and not _is_there()


def _is_there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
