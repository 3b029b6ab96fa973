"""The window of an answer: how many pieces may be on their way before the asker has taken them."""

from __future__ import annotations

import asyncio
from typing import Final

from socketio_cluster.manager.queries.failed import Failed

PIECES: Final = 4
"""A bus with a round trip of 10 ms then carries 12 MB/s, and an asker of many nodes holds little."""

FORGOTTEN_SECONDS: Final = 600.0
"""Seconds after which an asker that takes nothing counts as gone. Nobody is told of the death of an emitter.
Others may have forgotten the answer."""


class AnswerWindow:
    """The pieces of one answer that may still be sent."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(PIECES)

    async def wait(self) -> None:
        """Wait until one more piece may be sent. Raises ``Failed`` when the asker has forgotten it."""
        try:
            async with asyncio.timeout(FORGOTTEN_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise Failed(f"nobody has taken the answer for {FORGOTTEN_SECONDS:g} s") from None

    def allow(self, pieces: int) -> None:
        """Allow this number of further pieces."""
        for _ in range(pieces):
            self._free.release()
