"""Where a worker answers its supervisor's questions: a Unix socket in the run directory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

QUESTION_SECONDS: Final = 1.0


class StatusSocket:
    """Takes one question for each connection, a line with a word, and gives the answer until the end.

    Args:
        answers: what makes the answer, by word.
    """

    def __init__(self, answers: Mapping[str, Callable[[], bytes]]) -> None:
        self._answers = answers
        self._server: asyncio.Server | None = None

    async def open(self, path: Path) -> None:
        """Listen; the folder lets only processes of this user in. A predecessor's socket is replaced."""
        self._server = await asyncio.start_unix_server(self._serve, path, limit=256)

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # OSError and ValueError: whoever asked is gone, too slow, or no supervisor of ours.
            with contextlib.suppress(OSError, ValueError):
                async with asyncio.timeout(QUESTION_SECONDS):
                    word = (await reader.readline()).decode().strip()
                    if word in self._answers:
                        writer.write(self._answers[word]())
                        await writer.drain()
        finally:
            writer.close()


async def ask(path: Path, word: str, seconds: float) -> bytes | None:
    """Ask the worker at `path`; None when it does not answer within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(f"{word}\n".encode())
                return await reader.read() or None
            finally:
                writer.close()
    except OSError:  # TimeoutError is one
        return None
