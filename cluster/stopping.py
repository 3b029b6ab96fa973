"""The wish to stop, shared by the supervisor and its slots."""

from __future__ import annotations

import asyncio


class Stopping:
    """Two events: `asked` lets workers end kindly, `hurry` kills what has not ended yet."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()

    def ask(self) -> None:
        """At the first call set `asked`, at the next one `hurry`."""
        if self.asked.is_set():
            self.hurry.set()
        self.asked.set()
