"""The answers of this node's clients to one event, gathered as they come."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from socketio_cluster.manager.clients.acks import AckWaiter


class ClientAnswers:
    """Gathers what clients answer, until all have answered or the time is over.

    Args:
        seconds: how long the clients may take, from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._waiters: dict[str, AckWaiter] = {}
        self._ready: list[tuple[str, list[Any]]] = []
        self._news = asyncio.Event()

    def callback(self, sid: str) -> AckWaiter:
        """Make the callback for one client."""
        waiter = AckWaiter(partial(self._answered, sid), self._seconds)
        self._waiters[sid] = waiter
        return waiter

    async def next(self) -> list[tuple[str, list[Any]]]:
        """Wait for answers: each is a sid and the arguments of the ack. Returns none if no more will come."""
        if not self._ready and self._waiters:
            self._news.clear()
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._news.wait()
            except TimeoutError:
                return []
        ready, self._ready = self._ready, []
        return ready

    def end(self) -> None:
        """Remove the callbacks that clients have not answered."""
        for waiter in self._waiters.values():
            waiter.end()
        self._waiters.clear()

    def _answered(self, sid: str, arguments: tuple[Any, ...] | None) -> None:
        """Note an answer. None means that the client is gone."""
        self._waiters.pop(sid, None)
        if arguments is not None:
            self._ready.append((sid, list(arguments)))
        if arguments is not None or not self._waiters:
            self._news.set()
