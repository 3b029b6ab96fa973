"""``Subscriber``: subscribes to the wanted channels and unsubscribes from the others."""

from __future__ import annotations

import asyncio
from typing import Final

from socketio_cluster.manager.bus.broker import Broker
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.tasks import set_once

PIECE: Final = 1000
"""The most channels of one subscribe. It takes a few milliseconds, then other tasks get a turn."""


class Subscriber:
    """Tells one broker after the other what the interest is. All that is wanted meanwhile goes together.

    Args:
        interest: the channels to subscribe to.
    """

    def __init__(self, interest: Interest) -> None:
        self._interest = interest
        self._wishes = asyncio.Event()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._loop: asyncio.AbstractEventLoop
        self.wish = self._wishes.set
        """Tells that the interest has changed."""

    async def run(self, broker: Broker) -> None:
        """Follow the interest until this is cancelled. Raises ``BrokerError``."""
        while True:
            await self._wishes.wait()
            self._wishes.clear()
            await self.adjust(broker)

    async def adjust(self, broker: Broker) -> bool:
        """Subscribe and unsubscribe by the interest. Returns False if nothing had to be changed."""
        self._loop = asyncio.get_running_loop()
        take, give = self._interest.changes()
        for start in range(0, len(give), PIECE):
            if start:
                await asyncio.sleep(0)
            await broker.unsubscribe(give[start : start + PIECE])
        self._settle()
        for start in range(0, len(take), PIECE):
            if start:
                await asyncio.sleep(0)
            piece = take[start : start + PIECE]
            await broker.subscribe(piece)
            self._interest.took(piece)
            self._settle()
        return bool(take or give)

    def settling(self, channel: str) -> asyncio.Future[None] | None:
        """Return what ends when a channel is settled, or at ``let_go``. None means that it is settled."""
        if self._interest.settled(channel):
            return None
        settled = self._loop.create_future()
        self._waiting.append((channel, settled))
        return settled

    def let_go(self) -> None:
        """Let all go on that wait."""
        waiting, self._waiting = self._waiting, []
        for _, settled in waiting:
            set_once(settled, None)

    def _settle(self) -> None:
        """Let those go on whose channels are settled."""
        waiting, self._waiting = self._waiting, []
        for channel, settled in waiting:
            if self._interest.settled(channel):
                set_once(settled, None)
            else:
                self._waiting.append((channel, settled))
