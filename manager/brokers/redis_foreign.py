"""A Redis broker for the channels of other programs: it knows patterns, and counts who reads a channel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from socketio_cluster.manager.brokers.inbox import REPLY_TIMEOUT
from socketio_cluster.manager.brokers.redis import PLAIN, SHARDED, RedisBroker
from socketio_cluster.manager.brokers.redis_url import read_settings
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.errors import BrokerError

_MESSAGE: Final = b"pmessage"


class ForeignRedisBroker(RedisBroker):
    """A ``RedisBroker`` to whose connection channels and patterns deliver in the order of publishing.

    A name that ends with ``*`` is a pattern, which sharded pub/sub does not have. A delivery has the name of
    its channel. Two patterns, or a pattern and a channel, that match one channel deliver its messages twice.
    """

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to channels and patterns. Returns when the server has confirmed each of them."""
        names = list(channels)
        await super().subscribe(name for name in names if not name.endswith("*"))
        await self._confirmed(b"PSUBSCRIBE", [name.encode() for name in names if name.endswith("*")])

    async def subscribers(self, channel: str) -> int:
        """Return how many connections have subscribed to a channel. Patterns are not counted.

        Raises ``BrokerError``. Cancelling this ends the broker, because the reply would be taken for another.
        """
        question = "SHARDNUMSUB" if self._words is SHARDED else "NUMSUB"
        async with self._publishing:
            self._inbox.check()
            try:
                async with asyncio.timeout(REPLY_TIMEOUT):
                    _, number = await self._publisher.ask("PUBSUB", question, channel)
            except (TimeoutError, BrokerError) as error:
                raise self.fail(BrokerError(f"Redis does not count subscribers: {error}")) from error
            except asyncio.CancelledError:
                self.fail(BrokerError("a question was cancelled halfway"))
                raise
        return int(number)

    def _sort(self, replies: list[Any]) -> None:
        for reply in replies:
            if reply[0] == _MESSAGE:
                _, _, channel, payload = reply
                self._inbox.put([Delivery(channel.decode(errors="replace"), payload)])
            else:
                super()._sort([reply])


async def connect(url: str, *, sharded: bool = False) -> ForeignRedisBroker:
    """Connect to a Redis, as ``redis.connect`` does, for ordinary pub/sub or for sharded."""
    broker = ForeignRedisBroker(read_settings(url), SHARDED if sharded else PLAIN)
    await broker.open()
    return broker
