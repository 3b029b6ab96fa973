"""``Batches``: sends one batch after the other to a broker; what comes meanwhile makes the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.broker import Broker, Commanded, Direct, Publication
from socketio_cluster.manager.bus.outgoing import Batch
from socketio_cluster.manager.bus.sender import Sender
from socketio_cluster.manager.bus.short_batch import short_batch


class Batches:
    """Sends what waits.

    Args:
        sender: makes the batches, and notes which of them the bus has.
        sent: is called after each batch.
    """

    __slots__ = ("_busy", "_direct", "_ended", "_more", "_sender", "_sent", "_turn", "_work")

    def __init__(self, sender: Sender, sent: Callable[[], None]) -> None:
        self._sender = sender
        self._sent = sent
        self._work = asyncio.Event()
        self._direct: Direct | None = None
        self._busy = False
        """Whether a batch of the direct broker is on its way, or is made in the next turn of the loop."""
        self._more = False
        """Whether something has come since that batch was made."""
        self._turn: Callable[[Direct], None] = self._next
        """Starts the next batch of the direct broker: ``_next``, or what does the same in C."""
        self._ended: asyncio.Future[None] | None = None

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_batch.c`` works with, to gather batches, by the names there."""
        return {
            **self._sender.native_parts(),
            "batches": self,
            "general": self._next,
            "sent": self._sent,
            "unusual": self._answered,
            "end": self._end,
        }

    def wake(self) -> None:
        """Send soon: in the next turn of the loop, so that the envelopes of one turn go together."""
        if self._direct is None:
            self._work.set()
        elif self._busy:
            self._more = True
        else:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._turn, self._direct)

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
        self._turn = short_batch(self, broker) or self._next
        self._ended = asyncio.get_running_loop().create_future()
        self.wake()
        try:
            await self._ended
        finally:
            self._direct = None
            self._turn = self._next

    def _next(self, broker: Direct) -> None:
        """Start the next batch, if something waits. For most ``native/_batch.c`` does the same."""
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

    def _answered(
        self, broker: Commanded, replies: list[Any] | Exception, entries: list[Entry], told: int, whole: bool
    ) -> None:
        """Finish a batch that ``native/_batch.c`` has started, with what the server replied to it."""
        publications = [Publication(entry.channels, entry.payload) for entry in entries]
        batch = Batch(publications, entries, 0, told, whole)
        self._finished(broker, batch, broker.outcome(replies, publications))

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
                self._turn(broker)
            else:
                self._busy = False

    def _end(self, error: Exception) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)
