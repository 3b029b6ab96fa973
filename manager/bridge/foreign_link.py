"""``ForeignLink``: keeps the bridge on the foreign bus. It publishes what waits there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, runtime_checkable

from socketio_cluster.manager.bridge.dialect import Post
from socketio_cluster.manager.bridge.outbox import Outbox
from socketio_cluster.manager.bus.broker import Broker, Delivery, Publication
from socketio_cluster.manager.bus.link import CHECK_SECONDS
from socketio_cluster.manager.bus.reconnecting import keep_connected
from socketio_cluster.manager.errors import BrokerError, PublishRefused

logger = logging.getLogger("socketio_cluster.manager")

BATCH: Final = 64
"""The most entries of a batch. So many are lost at most when a connection ends before it is confirmed."""


class Ends(Protocol):
    """The methods of the bridge that the link calls."""

    async def arrived(self, delivery: Delivery) -> None:
        """Handle a message of the foreign bus."""

    def joined(self) -> None:
        """Called when the foreign bus is reached, and everything that is published there arrives."""

    def parted(self) -> None:
        """Called when the foreign bus is lost."""


@runtime_checkable
class Counting(Protocol):
    """A broker that can count who reads a channel."""

    async def subscribers(self, channel: str) -> int:
        """Return how many connections have subscribed to a channel. Raises ``BrokerError``."""


class ForeignLink:
    """Keeps a broker of the foreign bus connected.

    Args:
        connect: makes a broker. It raises ``BrokerError``.
        channels: the channels to read.
        outbox: what waits to be published.
        ends: the bridge.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Broker]], channels: Sequence[str], outbox: Outbox, ends: Ends
    ) -> None:
        self._connect = connect
        self._channels = channels
        self._outbox = outbox
        self._ends = ends
        self._work = asyncio.Event()
        self.wake = self._work.set
        """Tells the link that something waits in the outbox."""
        self.up = False
        self._broker: Broker | None = None

    async def subscribers(self, channel: str) -> int:
        """Return how many connections read a channel of the foreign bus. Raises ``BrokerError``."""
        if not isinstance(self._broker, Counting):
            raise BrokerError("the foreign bus is away")
        return await self._broker.subscribers(channel)

    async def run(self) -> None:
        """Keep the bridge on the foreign bus until this is cancelled."""
        await keep_connected("the foreign bus", self._connect, self._serve)

    async def _serve(self, broker: Broker) -> bool:
        """Work with one broker until it fails. Returns whether it was joined."""
        joined = False
        try:
            await broker.subscribe(self._channels)
            self.up = joined = True
            self._broker = broker
            self._ends.joined()
            self._work.set()
            await self._work_with(broker)
        except BrokerError as exc:
            logger.warning("lost the foreign bus, trying again: %s", exc)
        except asyncio.CancelledError:
            await self._farewell(broker)
            raise
        except Exception:
            logger.exception("the link to the foreign bus failed, making a new one")
        finally:
            self.up, self._broker = False, None
            if joined:
                self._ends.parted()
            await broker.close()
        return joined

    async def _work_with(self, broker: Broker) -> None:
        tasks = [asyncio.create_task(work(broker)) for work in (self._read, self._write, self._check)]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, broker: Broker) -> None:
        while True:
            for delivery in await broker.receive():
                await self._ends.arrived(delivery)

    async def _write(self, broker: Broker) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while await self._send(broker):
                pass

    async def _check(self, broker: Broker) -> None:
        while True:
            await broker.check()
            await asyncio.sleep(CHECK_SECONDS)

    async def _send(self, broker: Broker) -> bool:
        """Send a batch. Returns False if nothing waits. Raises ``BrokerError``."""
        urgent, entries = self._outbox.urgent(), self._outbox.take(BATCH)
        posts = [*urgent, *(post for entry in entries for post in entry.posts)]
        if not posts:
            return False
        try:
            await broker.publish([_publication(post) for post in posts])
        except PublishRefused as exc:
            logger.error("the foreign bus refused a message: %s", exc)
            self._outbox.failed(entries)
        except BaseException:
            self._outbox.failed(entries)
            raise
        else:
            self._outbox.sent(entries)
        return True

    async def _farewell(self, broker: Broker) -> None:
        """Send what waits, within a second."""
        if not self.up:
            return
        try:
            await asyncio.wait_for(self._send_the_rest(broker), 1.0)
        except (BrokerError, TimeoutError) as exc:
            logger.warning("left the foreign bus with %d messages unsent: %s", len(self._outbox), exc)

    async def _send_the_rest(self, broker: Broker) -> None:
        while await self._send(broker):
            pass


def _publication(post: Post) -> Publication:
    return Publication((post.channel,), post.payload)
