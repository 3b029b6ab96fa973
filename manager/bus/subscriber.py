"""``Subscriber``: subscribes to the wanted channels and unsubscribes from the others."""

from __future__ import annotations

import asyncio
from typing import Final

from socketio_cluster.manager.bus.broker import Broker
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.tasks import in_pieces, set_once

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
        self._waiting: list[asyncio.Future[None]] = []
        self.wish = self._wishes.set
        """Tells that the interest has changed."""

    async def run(self, broker: Broker) -> None:
        """Follow the interest until this is cancelled. Raises ``BrokerError``."""
        while True:
            await self._wishes.wait()
            self._wishes.clear()
            await self.adjust(broker)
            self.next()

    async def adjust(self, broker: Broker) -> bool:
        """Subscribe and unsubscribe by the interest. Returns False if nothing had to be changed."""
        take, give = self._interest.changes()
        async for piece in in_pieces(give, PIECE):
            await broker.unsubscribe(piece)
        async for piece in in_pieces(take, PIECE):
            await broker.subscribe(piece)
            self._interest.took(piece)
            self.next()
        return bool(take or give)

    async def step(self) -> None:
        """Return when some channels are taken or given up, or when ``next`` is called."""
        step = asyncio.get_running_loop().create_future()
        self._waiting.append(step)
        await step

    def next(self) -> None:
        """Let all go on that wait for a step."""
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            set_once(step, None)
