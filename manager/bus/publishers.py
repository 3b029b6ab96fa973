"""``Publishers``: the publishers of all shards of a node, behind numbers that name the shard too."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from socketio_cluster.manager.bus.messages import Message
from socketio_cluster.manager.bus.publisher import Publisher
from socketio_cluster.manager.errors import BrokerError


class Publishers:
    """Publishes on several shards. Each has a stream of its own, with its own numbers.

    A number here is the number in the stream times the number of shards, plus the shard. With one shard the
    two are the same. 0 stands for nothing.
    """

    def __init__(self, publishers: Sequence[Publisher]) -> None:
        self._all = publishers
        self._count = len(publishers)

    def post(self, shard: int, message: Message, channels: tuple[str, ...]) -> int:
        """Publish a message on a shard, and return its number. See ``Publisher.post``."""
        number = self._all[shard].post(message, channels)
        return number * self._count + shard if number else 0

    async def sent(self, number: int) -> bool:
        """Return True when the bus has the envelope. See ``Publisher.sent``."""
        number, shard = divmod(number, self._count)
        return await self._all[shard].sent(number)

    async def all_sent(self) -> None:
        """Return when the bus has everything that was posted until now, but for what was dropped."""
        for each in self._all:
            with suppress(BrokerError):  # It was refused.
                await each.sent(each.number)

    def withdraw(self, number: int) -> bool:
        """Remove an envelope that was not sent yet. Returns False if the bus may have it already."""
        number, shard = divmod(number, self._count)
        return self._all[shard].backlog.withdraw(number)

    def up(self, number: int) -> bool:
        """Whether the shard of this number is reached."""
        return self._all[number % self._count].up

    def crowded(self, number: int) -> bool:
        """Whether so many envelopes wait for the shard of this number that emits have to wait.

        0 stands for the first shard.
        """
        return self._all[number % self._count].crowded

    async def wait_for_room(self, number: int = 0) -> None:
        """Wait while the shard of this number is reached and too many envelopes wait for it.

        0 stands for the first shard. Cancelling is safe.
        """
        await self._all[number % self._count].wait_for_room()

    def fits(self, size: int) -> bool:
        """Whether an event of so many bytes can be posted to every shard."""
        return all(each.fits(size) for each in self._all)

    @property
    def errors(self) -> int:
        """How many batches the bus did not take. They are sent again when it is back."""
        return sum(each.errors for each in self._all)

    @property
    def unsent_bytes(self) -> int:
        """The bytes of the envelopes that the bus has not got yet. They are added up at each call."""
        return sum(each.backlog.unsent_bytes for each in self._all)
