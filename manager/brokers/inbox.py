"""The inbox: the deliveries that have arrived and that ``receive()`` has not returned yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import copy
from typing import Final

from socketio_cluster.manager.bus.broker import INBOX_LIMIT, Delivery
from socketio_cluster.manager.errors import BrokerError

CONNECT_TIMEOUT = 5.0
"""Seconds to wait for a connection. After that the bus counts as unreachable."""

SEED_TIMEOUT = 1.5
"""Seconds to wait for one of several servers. A dead one must not use up the time for the others."""

REPLY_TIMEOUT = 5.0
"""Seconds to wait for an answer. After that the bus counts as gone. A network that drops all packets shows no
other sign."""

OVERHEAD = 200
"""Bytes of memory that an empty delivery takes. They count, so that empty payloads are bounded too."""


AT_ONCE: Final = 64
"""The most deliveries that are handed over at once. More take milliseconds, so they wait for the reader."""


class Inbox:
    """A bounded list of deliveries with one reader. It ends with the ``BrokerError`` given to ``fail``."""

    __slots__ = ("_changed", "_deliveries", "_idle", "_size", "at_once", "error")

    def __init__(self) -> None:
        self.error: BrokerError | None = None
        self._deliveries: list[Delivery] = []
        self._size = 0
        self._changed = asyncio.Event()
        self._idle = False
        """Whether the reader waits, so that it has handled everything that it has taken."""
        self.at_once: Callable[[list[Delivery]], None] | None = None
        """Gets a few deliveries in place of a reader that waits, whose turn would cost more than they do."""

    def put(self, deliveries: list[Delivery]) -> None:
        """Add deliveries. Raises ``BrokerError`` if more than ``INBOX_LIMIT`` bytes wait for the reader.

        ``_sort.c`` does the same for what is handed over at once, where it is compiled.
        """
        if not deliveries:
            return
        if self._idle and self.at_once is not None and len(deliveries) <= AT_ONCE:
            self.at_once(deliveries)
            return
        self._idle = False
        self._size += sum([len(delivery.payload) for delivery in deliveries]) + OVERHEAD * len(deliveries)
        if self._size > INBOX_LIMIT:
            raise BrokerError(f"this node is more than {INBOX_LIMIT // 2**20} MiB behind its bus")
        self._deliveries += deliveries
        self._changed.set()

    def fail(self, error: BrokerError) -> BrokerError:
        """End the inbox with an error. Returns the first error that it was ended with."""
        self.error = self.error or error
        self._idle = False
        self._changed.set()
        return self.error

    def check(self) -> None:
        """Raise the error that the inbox has ended with, if it has ended."""
        if self.error is not None:
            # A new exception is raised each time, because raising one object again makes its traceback grow.
            raise copy(self.error) from self.error.__cause__

    async def take(self) -> list[Delivery]:
        """Remove and return all deliveries. Waits for at least one. Raises when the inbox has ended.

        Cancelling is safe: it loses no delivery.
        """
        while not self._deliveries:
            self.check()
            self._changed.clear()
            self._idle = True
            try:
                await self._changed.wait()
            finally:
                self._idle = False
        # There is no await from here on, so a cancelled call has removed nothing.
        deliveries, self._deliveries, self._size = self._deliveries, [], 0
        return deliveries
