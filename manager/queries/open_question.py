"""A question that was sent, as the task that waits for the answers sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

from socketio_cluster.manager.queries.polls import Poll


class OpenQuestion:
    """Yields the answers as they come.

    Args:
        nodes: the nodes that were asked.
        seconds: how long the answers are waited for.
        patience: how many seconds more they are waited for after each piece, if that is later.
        want: asks a node for one piece more.
    """

    def __init__(
        self, nodes: Iterable[str], seconds: float, patience: float, want: Callable[[str], None]
    ) -> None:
        self._news = asyncio.Event()
        self._patience = patience
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._want = want
        self.seconds = seconds
        self.poll = Poll(nodes, self._news.set)

    async def pieces(self) -> AsyncGenerator[Sequence[bytes]]:
        """Yield piece after piece, until all nodes have sent everything or are gone, or the time is over.

        A node sends one more when the caller is done with one of its pieces, so only a few wait here.
        """
        loop, poll = asyncio.get_running_loop(), self.poll
        while True:
            while (piece := poll.take()) is not None:
                yield piece.items
                if piece.node in poll.missing:
                    self._want(piece.node)
                self._deadline = max(self._deadline, loop.time() + self._patience)
            if not await self._more():
                return

    async def items(self) -> list[bytes]:
        """Return the items of all pieces."""
        return [item async for piece in self.pieces() for item in piece]

    async def _more(self) -> bool:
        """Wait for the next message of a node. Returns False if none will come, or the time is over."""
        if not self._news.is_set():
            if not self.poll.missing:
                return False
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._news.wait()
            except TimeoutError:
                return False
        self._news.clear()
        return True
