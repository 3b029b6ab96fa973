"""``WithRedis``: a bus that keeps nothing, and beside it a Redis that numbers events and keeps them.

Events that are recorded go through Redis alone, because what numbers and keeps an event has to publish it in
the same step. If it were published by the bus in a second step, two nodes could get events 6 and 7 in
different orders, and one whose emitter dies between the steps would be in the history but reach nobody.
Everything else goes through the bus: heartbeats, requests and answers, acks, events that are not kept.

Two connections have no common order; ``seam.py`` says how a node brings what comes into one. When one of the
two fails, both are closed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import groupby
from secrets import token_urlsafe
from typing import Final, Protocol

from socketio_cluster.manager.bus import stamp
from socketio_cluster.manager.bus.broker import Broker, Delivery, Publication
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.seam import MARK, Marks, Seam
from socketio_cluster.manager.bus.store import Operation, Result, Store, cluster_of
from socketio_cluster.manager.errors import BrokerError, PublishRefused
from socketio_cluster.manager.tasks import set_once

STAMPED: Final = bytes([stamp.MARK])
"""The first byte of an event that Redis has numbered."""
HERE: Final = ""
"""The channel of a delivery that this broker has made itself."""
ECHO_SECONDS: Final = 5.0


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
        self._marks = Marks()
        self._seam = Seam()
        self._arrived: deque[Delivery] = deque()
        self._sorted: list[Delivery] = []
        self._came = asyncio.Event()
        self._me = ""
        self._echo: asyncio.Future[None] | None = None
        self._tasks = [asyncio.create_task(self._guard(work)) for work in (self._read, self._place)]

    @property
    def limit(self) -> int | None:
        """The most bytes that both take in one payload, as far as that is known."""
        return min((each.limit for each in (self._bus, self._redis) if each.limit is not None), default=None)

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels on both. Returns when both have confirmed it."""
        channels = list(channels)
        if channels and not self._me:
            self._me = Channels(cluster_of(channels[0])[1:-1]).inbox(token_urlsafe(12))
            await self._bus.subscribe([self._me])
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
            try:
                await self._publish(batch[run.start : run.stop])
            except PublishRefused as refusal:
                reasons |= {run.start + at: why for at, why in refusal.reasons.items() if at >= 0}
        if reasons:
            raise PublishRefused(reasons)

    async def _publish(self, run: Sequence[Publication]) -> None:
        """Publish what goes one way. Raises ``PublishRefused`` with indexes below 0 for marks."""
        if not run[0].recorded:
            self._marks.note(run)
            await self._bus.publish(run)
            if self._marks.full:
                await self._redis.publish(self._marks.take())
            return
        marks = self._marks.take()
        try:
            await self._redis.publish([*marks, *run])
        except PublishRefused as refusal:
            raise PublishRefused({at - len(marks): why for at, why in refusal.reasons.items()}) from refusal

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Let Redis carry out an operation on what it keeps."""
        return await self._redis.ask(cluster, operation)

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived. Waits for at least one. Cancelling loses nothing."""
        while not self._sorted:
            if not self._arrived:
                self._arrived += await self._redis.receive()
            while self._arrived:
                delivery = self._arrived[0]
                if delivery.payload.startswith(STAMPED):
                    self._sorted.append(delivery)
                else:
                    self._sorted += await self._behind(delivery)
                self._arrived.popleft()
        deliveries, self._sorted = self._sorted, []
        return deliveries

    async def _behind(self, delivery: Delivery) -> list[Delivery]:
        """Return what has come through the bus and belongs at the place of this delivery."""
        if delivery.channel == HERE:
            return self._seam.take(int(delivery.payload))
        if not delivery.payload.startswith(MARK):
            return [delivery]
        if not self._seam.has(delivery.payload):
            await self._hear_bus()
        return self._seam.take_marked(delivery.payload)

    async def check(self) -> None:
        """Ask both servers whether they still pass on publications."""
        await self._bus.check()
        await self._redis.check()

    async def close(self) -> None:
        """Drop all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._bus.close()
        await self._redis.close()

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        """End both when a task fails."""
        try:
            await work()
        except BrokerError as error:
            self._redis.fail(error)
            if self._echo is not None:
                set_once(self._echo, None)

    async def _read(self) -> None:
        """Keep what comes through the bus."""
        while True:
            deliveries = await self._bus.receive()
            others = [delivery for delivery in deliveries if delivery.channel != self._me]
            self._seam.put(others)
            self._came.set()
            if len(others) < len(deliveries) and self._echo is not None:
                set_once(self._echo, None)

    async def _place(self) -> None:
        """Give what has come a place among the deliveries of Redis."""
        while True:
            await self._came.wait()
            self._came.clear()
            await self._redis.put_behind([Delivery(HERE, b"%d" % self._seam.count)])

    async def _hear_bus(self) -> None:
        """Return when everything has come that the bus has now. Raises ``BrokerError``.

        What this node sends to itself comes behind it.
        """
        self._echo = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ECHO_SECONDS):
                await self._bus.publish([Publication((self._me,), b"")])
                await self._echo
        except TimeoutError:
            raise self._redis.fail(BrokerError("the bus does not deliver what it has taken")) from None
        finally:
            self._echo = None


def _runs(batch: Sequence[Publication]) -> Iterator[range]:
    """Yield the indexes of publications that follow each other and go the same way."""
    start = 0
    for _, run in groupby(batch, lambda publication: bool(publication.recorded)):
        end = start + sum(1 for _ in run)
        yield range(start, end)
        start = end
