"""The broker: one live connection between this node and the bus.

A broker moves bytes by channel and knows nothing of rooms, sids or packets. It never retries: any call may
raise ``BrokerError``. After that only ``close()`` is useful, and the link makes a new broker. Every broker
keeps these promises, which ``tests/contract`` checks:

* ``subscribe`` returns once every later publish to those channels, by anybody, will arrive here.
* ``publish`` takes a batch, keeps its order, and returns once the bus has all of it. A message to
  several channels reaches a subscriber once or more; receivers drop repeats by the envelope's number.
* Of a batch that holds something the bus will not take, ``publish`` raises ``PublishRefused`` when the
  rest was taken and the broker goes on, and ``PublishError`` when the bus has ended the connection.
* ``check`` raises ``WrongServer`` if the server does not pass on publications to the other nodes.
* The publications of one broker arrive at each subscriber in the order of publishing, whatever their
  channels are.
* ``receive`` returns at least one delivery. Cancelling it loses nothing.
* A payload may be any bytes, even an empty string. A node may get back its own publications.
* Queues are bounded: a broker whose inbox overflows breaks (``BrokerError``) instead of dropping, so
  that the gap is seen and repaired.
* ``close`` never raises and may be called twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

INBOX_LIMIT = 64 * 1024 * 1024
"""The most bytes that have arrived and were not yet returned by ``receive()``.

With more the broker breaks.
"""


LARGEST = INBOX_LIMIT // 2
"""The most bytes of one payload, even if the bus takes more, so that it always fits into an inbox."""


class Delivery(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A payload that has arrived, and the channel that it was published to (on AMQP its routing key)."""

    channel: str
    payload: bytes


class Publication(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A payload to publish, and the channels that it goes to.

    ``recorded`` are the channels in whose history it is kept; ``store.py`` says more. Only some brokers can
    do that.
    """

    channels: tuple[str, ...]
    payload: bytes
    recorded: tuple[str, ...] = ()


class Broker(Protocol):
    """One live connection to the bus. The docstring of this module has the contract."""

    @property
    def limit(self) -> int | None:
        """The most bytes that the bus takes in one payload, or None if it does not tell."""

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels. Channels that are subscribed already are ignored."""

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Unsubscribe from these channels. Channels that are not subscribed are ignored."""

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Publish the batch, in order."""

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived since the last call. Waits for at least one."""

    async def check(self) -> None:
        """Ask the server, if it can be asked, whether it still passes on publications."""

    async def close(self) -> None:
        """Drop the connection at once."""


Take = Callable[[list[Delivery]], None]


@runtime_checkable
class Prompt(Protocol):
    """A broker that can do without a turn of the event loop for its reader."""

    def hand_to(self, take: Take) -> None:
        """While ``receive`` waits, give what arrives to ``take`` at once, which never raises.

        ``receive`` returns only what is too much for that.
        """


Done = Callable[[Exception | None], None]


@runtime_checkable
class Direct(Protocol):
    """A broker that publishes without a task that waits for it, and so without turns of the event loop."""

    def start(self, batch: Sequence[Publication], done: Done) -> None:
        """Publish the batch, in order.

        Later ``done`` is called, with None when the bus has all of it, else with what ``publish`` would
        raise. Raises ``BrokerError`` if the connection has ended.
        """


@runtime_checkable
class Commanded(Direct, Protocol):
    """A direct broker that publishes by commands of Redis, each with a reply of its own."""

    def outcome(self, replies: list[Any] | Exception, batch: Sequence[Publication]) -> Exception | None:
        """Return the error that the replies to a batch of which nothing is recorded tell of."""

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_batch.c`` works with, to publish, by the names there."""


Connect = Callable[[str], Awaitable[Broker]]
"""The function ``connect(url)`` of every module in ``socketio_cluster.manager.brokers``.

Raises ``BrokerError``.
"""
