"""The broker: one live connection between this node and the bus.

A broker moves bytes by channel and knows nothing of rooms, sids or packets. It never retries: any
call may raise ``BrokerError``, after which only ``close()`` is useful and the link makes a
new one. What every broker promises (``tests/contract`` holds each one to it):

* ``subscribe`` returns once every later publish to those channels, by anybody, will arrive here.
* ``publish`` takes a batch, keeps its order, and returns once the bus has all of it. A message to
  several channels reaches a subscriber once or more; receivers drop repeats by the envelope's number.
* Of a batch that holds something the bus will not take, ``publish`` raises ``PublishRefused`` when the
  rest was taken and the broker goes on, and ``PublishError`` when the bus has ended the connection.
* ``check`` raises ``WrongServer`` when what is published here does not reach the others.
* What one broker publishes arrives at each subscriber in the order it was published, whatever the
  channels.
* ``receive`` returns at least one delivery; cancelling it loses nothing.
* Payloads are any bytes, the empty string included. A node may get back what it published itself.
* Queues are bounded: a broker whose inbox overflows breaks (``BrokerError``) instead of dropping, so
  that the gap is seen and repaired.
* ``close`` never raises and may be called twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

INBOX_LIMIT = 64 * 1024 * 1024
"""Bytes received but not yet taken by ``receive()``; beyond it the broker breaks."""


LARGEST = INBOX_LIMIT // 2
"""Bytes of one payload, whatever the bus takes: every inbox has room for it and some more."""


class Delivery(NamedTuple):
    """What arrived: the channel it was published to (AMQP: its partition) and the payload."""

    channel: str
    payload: bytes


class Publication(NamedTuple):
    """What is to be published: the payload once, and the channels it goes to."""

    channels: tuple[str, ...]
    payload: bytes


class Broker(Protocol):
    """One live connection to the bus; see the module's text for the contract."""

    @property
    def limit(self) -> int | None:
        """Bytes that the bus takes in one payload; None when it does not say."""

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Take these channels; those already taken are ignored."""

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Give these channels up; those not taken are ignored."""

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Hand the batch to the bus, in order."""

    async def receive(self) -> list[Delivery]:
        """All that has arrived since the last call; waits while there is nothing."""

    async def check(self) -> None:
        """Ask the server, where it can be asked, whether it still passes on what is published."""

    async def close(self) -> None:
        """Let the connection go, at once."""


Connect = Callable[[str], Awaitable[Broker]]
"""``connect(url)`` of every module in ``socketio_cluster.manager.brokers``; raises ``BrokerError``."""
