"""The Unix socket at which a worker answers its supervisor's questions, in the supervisor's folder."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

QUESTION_SECONDS: Final = 1.0


class StatusSocket:
    """Reads one question from each connection, a line with a word, writes the answer, and closes.

    Args:
        answers: the functions that return the answers, by word.
    """

    def __init__(self, answers: Mapping[str, Callable[[], bytes]]) -> None:
        self._answers = answers
        self._server: asyncio.Server | None = None

    async def open(self, path: Path) -> None:
        """Listen, in the place of a predecessor's socket.

        Only processes of this user may enter the folder.
        """
        self._server = await asyncio.start_unix_server(self._serve, path, limit=256)

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # OSError and ValueError mean that the other side has left, is too slow, or is not our supervisor.
            with contextlib.suppress(OSError, ValueError):
                async with asyncio.timeout(QUESTION_SECONDS):
                    word = (await reader.readline()).decode().strip()
                    if word in self._answers:
                        writer.write(self._answers[word]())
                        await writer.drain()
        finally:
            writer.close()


async def ask(path: Path, word: str, seconds: float) -> bytes | None:
    """Ask the worker at `path`; return None when it does not answer within `seconds`."""
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
