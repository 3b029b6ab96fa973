"""The broker for Redis Cluster (7.0 or newer): sharded pub/sub on the node that owns the channels' slot.

The URL ``redis+cluster://user:password@host1:7000,host2:7000`` names any nodes of the cluster, which are
asked in turn. All channel names of one Socket.IO cluster have the same hash tag, so all its channels are in
one slot. So one Redis node carries all messages, in order. When the slot moves or the Redis node dies, the
broker breaks, and the next broker finds the new owner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from redis.crc import key_slot

from socketio_cluster.manager.brokers.redis import SHARDED, RedisBroker
from socketio_cluster.manager.brokers.redis_line import ask_any
from socketio_cluster.manager.brokers.redis_url import Address, Settings, read_hosts, read_settings
from socketio_cluster.manager.bus.broker import Delivery, Publication, Take
from socketio_cluster.manager.bus.store import Operation, Result
from socketio_cluster.manager.errors import BrokerError


class RedisClusterBroker:
    """A ``RedisBroker`` on the Redis node that owns the channels.

    It connects when the first channel is named.
    """

    def __init__(self, settings: Settings, seed: Address, slots: list[Any]) -> None:
        self._settings = settings
        self._seed = seed
        self._slots = slots
        self._opening = asyncio.Lock()
        self._opened = asyncio.Event()
        self._broker: RedisBroker | None = None
        self._closed = False
        self._take: Take | None = None

    @property
    def limit(self) -> int | None:
        """The bytes of the largest message, or None while the owner is not known."""
        return self._broker.limit if self._broker is not None else None

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels, which must all be in one slot."""
        names = list(channels)
        if names:
            await (await self._owner(names[0])).subscribe(names)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Unsubscribe from these channels."""
        names = list(channels)
        if names:
            await (await self._owner(names[0])).unsubscribe(names)

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Publish the batch on the owner of the slot."""
        first = next((channel for publication in batch for channel in publication.channels), None)
        if first is not None:
            await (await self._owner(first)).publish(batch)

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Carry out an operation on the owner of the cluster's slot."""
        return await (await self._owner(cluster)).ask(cluster, operation)

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived. Waits for the first subscription and for a delivery."""
        await self._opened.wait()
        if self._broker is None:
            raise BrokerError("closed")
        return await self._broker.receive()

    def hand_to(self, take: Take) -> None:
        """Give what arrives while ``receive`` waits to ``take`` at once. See ``Prompt``."""
        self._take = take
        if self._broker is not None:
            self._broker.hand_to(take)

    async def put_behind(self, deliveries: list[Delivery]) -> None:
        """Deliver these behind everything that the owner has published until now."""
        await self._opened.wait()
        if self._broker is not None:
            await self._broker.put_behind(deliveries)

    def fail(self, error: BrokerError) -> BrokerError:
        """End the broker with an error."""
        return self._broker.fail(error) if self._broker is not None else error

    async def check(self) -> None:
        """Ask the owner for its role."""
        if self._broker is not None:
            await self._broker.check()

    async def close(self) -> None:
        """Drop the connections."""
        self._closed = True
        self._opened.set()
        if self._broker is not None:
            await self._broker.close()

    async def _owner(self, channel: str) -> RedisBroker:
        async with self._opening:
            if self._broker is None:
                if self._closed:
                    raise BrokerError("closed")
                host, port = self._find(key_slot(channel.encode()))
                settings = self._settings | {"host": host, "port": port}
                self._broker = await RedisBroker(settings, SHARDED).open()
                if self._take is not None:
                    self._broker.hand_to(self._take)
                self._opened.set()
                if self._closed:
                    await self._broker.close()
        return self._broker

    def _find(self, slot: int) -> Address:
        """Return the owner of a slot. Each line of the table is ``[first, last, [host, port, …], …]``."""
        for first, last, (host, port, *_), *_ in self._slots:
            if first <= slot <= last:
                # An empty host stands for the host that was asked.
                return (host.decode() if host else self._seed[0]), port
        raise BrokerError(f"Redis Cluster at {self._seed[0]}:{self._seed[1]}: nobody owns slot {slot}")


async def connect(url: str) -> RedisClusterBroker:
    """Ask the cluster which node owns which slots. The broker connects when the first channel is named.

    Raises ``SettingError`` for a URL that cannot work, and ``BrokerError`` if no node answers.
    """
    settings = read_settings(url) | {"db": 0}
    seed, slots = await ask_any(read_hosts(url, 6379), settings, "CLUSTER", "SLOTS")
    return RedisClusterBroker(settings, seed, slots)
