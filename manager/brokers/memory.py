"""The memory broker: nodes of one event loop, which share a hub without a socket. It is for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary, WeakValueDictionary

from socketio_cluster.manager.brokers.hub_channels import HubChannels
from socketio_cluster.manager.brokers.inbox import Inbox
from socketio_cluster.manager.bus.broker import LARGEST, Delivery, Publication
from socketio_cluster.manager.bus.store import Operation, Result
from socketio_cluster.manager.errors import BrokerError, SettingError

_hubs: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[str, HubChannels]]] = (
    WeakKeyDictionary()
)
"""The hubs by their loop and their name. A hub lives as long as something refers to it."""


class MemoryBroker:
    """A broker that is a member of a hub of its own event loop.

    What is published is in the inboxes of the others at once.
    """

    def __init__(self, hub: HubChannels) -> None:
        self.channels: set[str] = set()
        self.limit = LARGEST
        self._hub = hub
        self._inbox = Inbox()

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels."""
        self._inbox.check()
        self._hub.subscribe(self, channels)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Unsubscribe from these channels."""
        self._inbox.check()
        self._hub.unsubscribe(self, channels)

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Put the batch into the inboxes of all subscribers."""
        self._inbox.check()
        self._hub.publish(batch)

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Carry out an operation on what the hub keeps."""
        self._inbox.check()
        return self._hub.ask(cluster, operation)

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived. Waits for at least one. Cancelling loses nothing."""
        return await self._inbox.take()

    async def check(self) -> None:
        """Do nothing: there is only one hub."""

    async def close(self) -> None:
        """Leave the hub."""
        self._end(BrokerError("closed"))

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Put deliveries into the inbox. A broker whose inbox is full leaves the hub."""
        try:
            self._inbox.put(deliveries)
        except BrokerError as error:
            self._end(error)

    def _end(self, error: BrokerError) -> None:
        self._inbox.fail(error)
        self._hub.leave(self)


def hub_of(url: str) -> HubChannels:
    """Return the hub of ``memory://NAME`` in the running event loop, which is made at its first use.

    Raises ``SettingError`` for a URL without a name.
    """
    name = urlsplit(url).netloc
    if not name:
        raise SettingError("memory:// takes a name, such as memory://test, which the nodes share")
    hubs = _hubs.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    hub = hubs.get(name)
    if hub is None:
        hub = hubs[name] = HubChannels()
    return hub


async def connect(url: str) -> MemoryBroker:
    """Connect to the hub of ``memory://NAME``. Raises ``SettingError`` for a URL without a name."""
    return MemoryBroker(hub_of(url))
