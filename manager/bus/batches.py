"""``Batches``: sends one batch after the other to a broker; what comes meanwhile makes the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from socketio_cluster.manager.bus.broker import Broker, Direct
from socketio_cluster.manager.bus.outgoing import Batch
from socketio_cluster.manager.bus.sender import Sender


class Batches:
    """Sends what waits.

    Args:
        sender: makes the batches, and notes which of them the bus has.
        sent: is called after each batch.
    """

    __slots__ = ("_busy", "_direct", "_ended", "_more", "_sender", "_sent", "_work")

    def __init__(self, sender: Sender, sent: Callable[[], None]) -> None:
        self._sender = sender
        self._sent = sent
        self._work = asyncio.Event()
        self._direct: Direct | None = None
        self._busy = False
        """Whether a batch of the direct broker is on its way, or is made in the next turn of the loop."""
        self._more = False
        """Whether something has come since that batch was made."""
        self._ended: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Send soon: in the next turn of the loop, so that the envelopes of one turn go together."""
        if self._direct is None:
            self._work.set()
        elif self._busy:
            self._more = True
        else:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._next, self._direct)

    async def run(self, broker: Broker) -> None:
        """Send until the broker fails, which raises ``BrokerError``, or until this is cancelled."""
        if isinstance(broker, Direct):
            await self._run_direct(broker)
        while True:
            await self._work.wait()
            self._work.clear()
            while await self._sender.send(broker):
                self._sent()

    async def _run_direct(self, broker: Direct) -> None:
        self._direct, self._busy = broker, False
        self._ended = asyncio.get_running_loop().create_future()
        self.wake()
        try:
            await self._ended
        finally:
            self._direct = None

    def _next(self, broker: Direct) -> None:
        """Start the next batch, if something waits."""
        if broker is not self._direct:
            return
        self._more = False
        try:
            batch = self._sender.take()
            if batch.publications:
                broker.start(batch.publications, partial(self._finished, broker, batch))
            else:
                self._busy = False
        except Exception as error:
            self._end(error)

    def _finished(self, broker: Direct, batch: Batch, error: Exception | None) -> None:
        if broker is not self._direct:
            return  # The batch is sent again, and receivers drop the repeat.
        try:
            self._sender.finish(batch, error)
        except Exception as failure:
            self._end(failure)
        else:
            self._sent()
            if self._more or not batch.whole:
                self._next(broker)
            else:
                self._busy = False

    def _end(self, error: Exception) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)
