"""An answer in pieces, so that none is too large for the bus, nor holds up a node for long."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from typing import Final

PIECE_BYTES: Final = 32 * 1024
"""About 300 descriptions of clients, which take a millisecond to make."""


async def pieces(items: AsyncIterable[bytes], most: int = PIECE_BYTES) -> AsyncGenerator[list[bytes]]:
    """Group items, lazily, so that each group but the last is just as large as ``most`` bytes or above."""
    piece: list[bytes] = []
    size = 0
    async for item in items:
        piece.append(item)
        size += len(item)
        if size >= most:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece
