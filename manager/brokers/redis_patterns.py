"""A Redis broker that also subscribes to patterns: names that end with ``*``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from socketio_cluster.manager.brokers.redis import RedisBroker
from socketio_cluster.manager.brokers.redis_url import read_settings
from socketio_cluster.manager.bus.broker import Delivery

_MESSAGE: Final = b"pmessage"


class RedisPatternBroker(RedisBroker):
    """A ``RedisBroker`` to whose connection channels and patterns deliver in the order of publishing.

    A delivery has the name of its channel. Two patterns, or a pattern and a channel, that match the same
    channel deliver its messages twice.
    """

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to channels and patterns. Returns when the server has confirmed each of them."""
        names = list(channels)
        await super().subscribe(name for name in names if not name.endswith("*"))
        await self._confirmed(b"PSUBSCRIBE", [name.encode() for name in names if name.endswith("*")])

    def _sort(self, replies: list[Any]) -> None:
        for reply in replies:
            if reply[0] == _MESSAGE:
                _, _, channel, payload = reply
                self._inbox.put([Delivery(channel.decode(errors="replace"), payload)])
            else:
                super()._sort([reply])


async def connect(url: str) -> RedisPatternBroker:
    """Connect to a Redis, as ``redis.connect`` does."""
    broker = RedisPatternBroker(read_settings(url))
    await broker.open()
    return broker
