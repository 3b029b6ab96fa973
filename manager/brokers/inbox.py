"""The inbox: deliveries that have arrived and that ``receive()`` has not taken yet."""

from __future__ import annotations

import asyncio
from copy import copy

from socketio_cluster.manager.bus.broker import INBOX_LIMIT, Delivery
from socketio_cluster.manager.errors import BrokerError

CONNECT_TIMEOUT = 5.0
"""Seconds until a bus that does not let us in counts as unreachable."""

REPLY_TIMEOUT = 5.0
"""Seconds until a bus that does not answer counts as gone; a black hole shows no other sign."""

OVERHEAD = 200
"""Bytes of memory an empty delivery takes; counted, so that empty payloads are bounded too."""


class Inbox:
    """A bounded list with one reader; it ends with the ``BrokerError`` given to ``fail``."""

    def __init__(self) -> None:
        self.error: BrokerError | None = None
        self._deliveries: list[Delivery] = []
        self._size = 0
        self._changed = asyncio.Event()

    def put(self, deliveries: list[Delivery]) -> None:
        """Add what arrived; raise ``BrokerError`` when the reader is ``INBOX_LIMIT`` bytes behind."""
        if not deliveries:
            return
        self._size += sum([len(payload) for _, payload in deliveries]) + OVERHEAD * len(deliveries)
        if self._size > INBOX_LIMIT:
            raise BrokerError(f"this node is more than {INBOX_LIMIT // 2**20} MiB behind its bus")
        self._deliveries += deliveries
        self._changed.set()

    def fail(self, error: BrokerError) -> BrokerError:
        """End the inbox; the first error stays. Gives back the one that counts."""
        self.error = self.error or error
        self._changed.set()
        return self.error

    def check(self) -> None:
        """Raise the error the inbox has ended with, if it has."""
        if self.error is not None:
            # A new exception each time: raising one object again and again grows its traceback.
            raise copy(self.error) from self.error.__cause__

    async def take(self) -> list[Delivery]:
        """All that has arrived; waits while there is nothing, raises once the inbox has ended."""
        while not self._deliveries:
            self.check()
            self._changed.clear()
            await self._changed.wait()
        # No await from here on: a cancelled receive has taken nothing.
        deliveries, self._deliveries, self._size = self._deliveries, [], 0
        return deliveries
