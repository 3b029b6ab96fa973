"""A Redis broker for the channels of other programs: it knows patterns, and counts who reads a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from socketio_cluster.manager.brokers.redis import PLAIN, SHARDED, Commands, RedisBroker
from socketio_cluster.manager.brokers.redis_replies import Replies
from socketio_cluster.manager.brokers.redis_url import Settings, read_settings
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.errors import BrokerError

_MESSAGE: Final = b"pmessage"


class ForeignRedisBroker(RedisBroker):
    """A ``RedisBroker`` to whose connection channels and patterns deliver in the order of publishing.

    A name that ends with ``*`` is a pattern, which sharded pub/sub does not have. A delivery has the name of
    its channel. Two patterns, or a pattern and a channel, that match one channel deliver its messages twice.
    """

    def __init__(
        self, settings: Settings, words: Commands = PLAIN, look: Callable[[Sequence[str]], None] | None = None
    ) -> None:
        super().__init__(settings, words)
        self._look = look

    async def check(self) -> None:
        """Ask for the server's role, and let ``look`` see which channels somebody reads."""
        await super().check()
        if self._look is not None:
            channels = await self._ask("CHANNELS", "*")
            self._look([channel.decode(errors="replace") for channel in channels])

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to channels and patterns. Returns when the server has confirmed each of them."""
        names = list(channels)
        await super().subscribe(name for name in names if not name.endswith("*"))
        await self._confirmed(b"PSUBSCRIBE", [name.encode() for name in names if name.endswith("*")])

    async def subscribers(self, channel: str) -> int:
        """Return how many connections have subscribed to a channel. Patterns are not counted.

        Raises ``BrokerError``.
        """
        _, number = await self._ask("NUMSUB", channel)
        return int(number)

    async def _ask(self, question: str, argument: str) -> Any:
        """Ask the server about subscriptions of this kind of pub/sub. Raises ``BrokerError``."""
        kind = "SHARD" if self._words is SHARDED else ""
        self._inbox.check()
        try:
            return await self._publisher.ask("PUBSUB", kind + question, argument)
        except (TimeoutError, BrokerError) as error:
            raise self.fail(BrokerError(f"Redis does not tell subscriptions: {error}")) from error

    def _sort(self, replies: Replies) -> None:
        for reply in replies:
            if reply[0] == _MESSAGE:
                _, _, channel, payload = reply
                self._inbox.put([Delivery(channel.decode(errors="replace"), payload)])
            else:
                super()._sort([reply])


async def connect(
    url: str, *, sharded: bool = False, look: Callable[[Sequence[str]], None] | None = None
) -> ForeignRedisBroker:
    """Connect to a Redis, as ``redis.connect`` does, for ordinary pub/sub or for sharded.

    ``look`` is called now and then with the names of all channels of that kind that somebody reads.
    """
    broker = ForeignRedisBroker(read_settings(url), SHARDED if sharded else PLAIN, look)
    await broker.open()
    return broker
