"""Open connections, of a process or of one WebSocket, and a way to wait for their end."""

from __future__ import annotations

import asyncio
from typing import Any


class Connections(set[Any]):
    """Connections that are open; each has a method ``shutdown``.

    Args:
        wider: another set, in which they are too.
    """

    def __init__(self, wider: set[Any] | None = None) -> None:
        super().__init__()
        self._wider = wider
        self._changed = asyncio.Event()

    def add(self, connection: Any) -> None:
        """Note a connection that was opened."""
        super().add(connection)
        if self._wider is not None:
            self._wider.add(connection)

    def discard(self, connection: Any) -> None:
        """Note that a connection has ended."""
        super().discard(connection)
        if self._wider is not None:
            self._wider.discard(connection)
        self._changed.set()

    async def gone(self) -> None:
        """Return when all have ended."""
        while self:
            self._changed.clear()
            await self._changed.wait()
