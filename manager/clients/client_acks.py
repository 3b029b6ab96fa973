"""The callbacks that wait for clients of this node. Each is kept for a limited time."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from socketio_cluster.manager.clients.acks import Lifetimes, PendingAck, abandon, seconds_of
from socketio_cluster.manager.clients.client import Callback, Client

MAX_PER_CLIENT: Final = 10_000
"""The most callbacks that wait for one client: some megabytes for a client that never answers.

When one more comes, the oldest is abandoned.
"""


class ClientAcks:
    """Keeps the ``acks`` of each client: its callbacks by ack id, the oldest first.

    Args:
        seconds: how long a callback waits if it does not say so itself.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: Lifetimes[tuple[Client, int]] = Lifetimes()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def expect(self, client: Client, callback: Callback, now: float, wanted: int = 0) -> int:
        """Keep a callback and return the ack id of its answer, which is ``wanted`` if that is free.

        The oldest callback of this client may be abandoned (``MAX_PER_CLIENT``).
        """
        if client.acks is None:
            client.acks = OrderedDict()
        if len(client.acks) >= MAX_PER_CLIENT:
            abandon(self._take(client, next(iter(client.acks))).callback)
        if not wanted or wanted in client.acks:
            wanted = client.ack_id = client.ack_id + 1
        asked = PendingAck(callback, now, now + seconds_of(callback, self._seconds))
        client.acks[wanted] = asked
        self._ends.add((client, wanted), asked.until)
        self._count += 1
        return wanted

    def answer(self, client: Client, ack_id: int) -> PendingAck | None:
        """Remove and return the callback with this id, or return None if there is none."""
        if client.acks is None or ack_id not in client.acks:
            return None
        return self._take(client, ack_id)

    def abandon(self, client: Client) -> None:
        """Abandon all callbacks that wait for a client, because the client is gone."""
        while client.acks:
            abandon(self._take(client, next(iter(client.acks))).callback)

    def expire(self, now: float) -> None:
        """Remove the callbacks whose time is over. They are not told."""
        for client, ack_id in self._ends.due(now):
            self.answer(client, ack_id)

    def _take(self, client: Client, ack_id: int) -> PendingAck:
        assert client.acks is not None
        asked = client.acks.pop(ack_id)
        self._ends.drop((client, ack_id), asked.until)
        self._count -= 1
        return asked
