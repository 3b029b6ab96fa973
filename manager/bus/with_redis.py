"""``WithRedis``: a bus that keeps nothing, and beside it a Redis that numbers events and keeps them.

Events that are recorded go through Redis alone, because what numbers and keeps an event has to publish it in
the same step. If it were published by the bus in a second step, two nodes could get events 6 and 7 in
different orders, and one whose emitter dies between the steps would be in the history but reach nobody.
Everything else goes through the bus: heartbeats, requests and answers, acks, events that are not kept.

Two connections have no common order, so what comes through the bus is passed on behind everything that Redis
has published until then. When one of the two fails, both are closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Protocol

from socketio_cluster.manager.bus.broker import Broker, Delivery, Publication
from socketio_cluster.manager.bus.store import Operation, Result, Store
from socketio_cluster.manager.errors import BrokerError, PublishRefused


class Keeping(Broker, Store, Protocol):
    """The broker of a Redis, which can put deliveries of another bus into the order of its own."""

    async def put_behind(self, deliveries: list[Delivery]) -> None:
        """Deliver these behind everything that the server has published until now."""

    def fail(self, error: BrokerError) -> BrokerError:
        """End the broker with an error."""


class WithRedis:
    """A broker made of two. It records.

    Args:
        bus: carries what is not recorded.
        redis: records events and publishes them.
    """

    def __init__(self, bus: Broker, redis: Keeping) -> None:
        self._bus = bus
        self._redis = redis
        self._reading = asyncio.create_task(self._read())

    @property
    def limit(self) -> int | None:
        """The most bytes that both take in one payload, as far as that is known."""
        return min((each.limit for each in (self._bus, self._redis) if each.limit is not None), default=None)

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels on both. Returns when both have confirmed it."""
        channels = list(channels)
        await self._bus.subscribe(channels)
        await self._redis.subscribe(channels)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Unsubscribe from these channels on both, first from their events."""
        channels = list(channels)
        await self._redis.unsubscribe(channels)
        await self._bus.unsubscribe(channels)

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Publish the batch in order: what comes later is sent when the server has what is before it."""
        reasons: dict[int, str] = {}
        for run in _runs(batch):
            broker = self._redis if batch[run.start].recorded else self._bus
            try:
                await broker.publish(batch[run.start : run.stop])
            except PublishRefused as refusal:
                reasons |= {run.start + at: why for at, why in refusal.reasons.items()}
        if reasons:
            raise PublishRefused(reasons)

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Let Redis carry out an operation on what it keeps."""
        return await self._redis.ask(cluster, operation)

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived. Waits for at least one. Cancelling loses nothing."""
        return await self._redis.receive()

    async def check(self) -> None:
        """Ask both servers whether they still pass on publications."""
        await self._bus.check()
        await self._redis.check()

    async def close(self) -> None:
        """Drop all connections."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._bus.close()
        await self._redis.close()

    async def _read(self) -> None:
        """Pass on what comes through the bus until one of the two ends."""
        try:
            while True:
                await self._redis.put_behind(await self._bus.receive())
        except BrokerError as error:
            self._redis.fail(error)


def _runs(batch: Sequence[Publication]) -> Iterator[range]:
    """Yield the indexes of publications that follow each other and go the same way."""
    start = 0
    for _, run in groupby(batch, lambda publication: bool(publication.recorded)):
        end = start + sum(1 for _ in run)
        yield range(start, end)
        start = end
