"""The event loop that a node lives on."""

from __future__ import annotations

import asyncio
import os


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
