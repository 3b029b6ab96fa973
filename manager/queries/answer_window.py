"""How many pieces of an answer may be on their way before the one who asked has taken them."""

from __future__ import annotations

import asyncio
from typing import Final

from socketio_cluster.manager.queries.failed import Failed

PIECES: Final = 4
"""Enough that a bus with a round trip of 10 ms carries 12 MB/s, little enough that an asker of many nodes
holds little."""

FORGOTTEN_SECONDS: Final = 600.0
"""An asker that takes nothing for so long is gone: an emitter, whose death nobody is told, or one that has
forgotten the answer."""


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
        """Allow so many pieces more."""
        for _ in range(pieces):
            self._free.release()
