"""The link keeps this node on the bus.

It runs one broker at a time, with four tasks. The first one passes deliveries on. The second one sends the
waiting envelopes in batches; those that come while a batch is on its way make the next one. The third one
subscribes and unsubscribes by the interest. The last one asks the server whether it is still the right one.
When any task fails, the broker is closed. After a delay, see ``reconnecting``, another broker takes every
subscription again, before anything is sent. The delay has jitter, and it grows until something got through.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.batches import Batches
from socketio_cluster.manager.bus.broker import Broker, Delivery, Prompt
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.bus.outgoing import Outgoing
from socketio_cluster.manager.bus.reconnecting import keep_connected
from socketio_cluster.manager.bus.sender import Sender
from socketio_cluster.manager.bus.store import Operation, Result, Store
from socketio_cluster.manager.bus.subscriber import Subscriber
from socketio_cluster.manager.bus.waiters import Waiters
from socketio_cluster.manager.errors import BrokerError, WrongServer
from socketio_cluster.manager.tasks import set_once

logger = logging.getLogger("socketio_cluster.manager")

CHECK_SECONDS: Final = 5.0
"""How often the server is asked whether it still passes on publications: every few heartbeats."""
SLICE: Final = 256
"""After so many deliveries other tasks get a turn. At 5-50 µs each they take a few milliseconds."""
FAREWELL_SECONDS: Final = 1.0


class Ends(Protocol):
    """The methods of the node that the link calls."""

    def arrived(self, deliveries: list[Delivery]) -> None:
        """Handle deliveries from the bus."""

    async def subscribed(self, broker: Broker) -> float | None:
        """Called with each new broker, when every subscription is in effect and nothing was sent yet.

        Returns since when, by the monotonic clock, an earlier broker may have taken what this one lacks.
        """

    def joined(self, *, again: bool) -> None:
        """Called when the bus is reached and every subscription is in effect."""

    def parted(self) -> None:
        """Called when the bus is lost."""

    def refused(self, entry: Entry, why: str) -> None:
        """Called when an envelope was given up, because the bus never takes it."""

    def leaving(self) -> None:
        """Called before the link leaves the bus, when everything else is sent. It may publish a goodbye."""


class Link:
    """Keeps a broker connected.

    Args:
        connect: makes a broker. It raises ``BrokerError``.
        interest: the channels to subscribe to.
        outgoing: the envelopes to send.
        ends: the node, which is told of deliveries and changes.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Broker]], interest: Interest, outgoing: Outgoing, ends: Ends
    ) -> None:
        self._connect = connect
        self._interest = interest
        self._outgoing = outgoing
        self._sender = Sender(outgoing, ends.refused, time.monotonic)
        self._ends = ends
        self.batches = Batches(self._sender, self._next)
        self.wake = self.batches.wake
        """Tells the link that there is something to send."""
        self._subscriber = Subscriber(interest)
        self.wish = self._subscriber.wish
        """Tells the link that the interest has changed."""
        self._broken: asyncio.Future[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self.waiters = Waiters(lambda: self.up and outgoing.room <= 0)
        """Those who wait because too many envelopes wait."""
        self._reopening: asyncio.TimerHandle | None = None
        self._up = asyncio.Event()
        self._joined_before = False
        self._broker: Broker | None = None
        self._store: Store | None = None
        """The broker, if it can record. To find that out for each question would cost 9 µs."""

    @property
    def up(self) -> bool:
        """Whether the bus is reached and the subscriptions are in effect."""
        return self._up.is_set()

    @property
    def publish_errors(self) -> int:
        """How many batches the bus did not take. They are sent again when it is back."""
        return self._sender.errors

    async def wait_up(self) -> None:
        """Return when the bus is reached."""
        await self._up.wait()

    def fail(self, why: str) -> None:
        """Close the current broker for the reason ``why``, and connect again."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(BrokerError(why))

    def settling(self, channel: str) -> asyncio.Future[None] | None:
        """Return what ends when the interest in this channel is in effect on the bus, or the bus is away.

        None means that nobody has to wait for that. Cancelling is safe: the interest stays, and takes effect
        later.
        """
        self.wish()
        return self._subscriber.settling(channel) if self.up else None

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Carry out an operation on what the bus keeps for a cluster.

        Raises ``BrokerError`` if the bus is away, or cannot do it.
        """
        if self._store is None:
            raise BrokerError("the bus is away" if self._broker is None else "this bus keeps nothing")
        return await self._store.ask(cluster, operation)

    def late(self, seconds: float) -> None:
        """Let emits wait for a moment, as another node hears this one so many seconds late."""
        if rest := self._outgoing.late(seconds, time.monotonic()):
            if self._reopening is not None:
                self._reopening.cancel()
            self._reopening = asyncio.get_running_loop().call_later(rest, self._reopen)

    def drained(self) -> asyncio.Future[None]:
        """Return what is done at the next step: when a batch is sent, or the bus is lost."""
        step = asyncio.get_running_loop().create_future()
        self._waiting.append(step)
        return step

    async def run(self) -> None:
        """Keep the node on the bus until this is cancelled.

        Then it sends the rest and a goodbye, and leaves.
        """
        await keep_connected("the bus", self._connect, self._serve, self._unreached)

    def _unreached(self, error: BrokerError | TimeoutError) -> None:
        if isinstance(error, WrongServer):
            self._sender.broke(error)

    async def _serve(self, broker: Broker) -> bool:
        """Work with one broker until it fails.

        Returns whether the broker joined and did not get stuck at once.
        """
        moved = True
        try:
            await self._join(broker)
            await self._work_with(broker)
        except asyncio.CancelledError:
            await self._farewell(broker)
            raise
        except BrokerError as exc:
            logger.warning("lost the bus, trying again: %s", exc)
            moved = self._sender.broke(exc)
        except Exception:
            logger.exception("the link to the bus failed, making a new one")
        finally:
            joined = self._part()
            await broker.close()
        return joined and moved

    async def _work_with(self, broker: Broker) -> None:
        self._broken = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(broker))
                group.create_task(self.batches.run(broker))
                group.create_task(self._subscriber.run(broker))
                group.create_task(self._check(broker))
                # It is awaited in the body, so that the group takes back its own cancellation of this task.
                # If a task fails while the group only waits, the group does not do so (Python 3.11), and the
                # next timeout of this task would end with CancelledError.
                await self._broken
        except BaseExceptionGroup as group_error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from None  # A group raises the errors instead.
            _, bugs = group_error.split(BrokerError)
            raise (bugs or group_error).exceptions[0] from None

    async def _join(self, broker: Broker) -> None:
        self._interest.lost()
        while await self._subscriber.adjust(broker):
            pass  # The interest may have changed meanwhile.
        since = await self._ends.subscribed(broker)
        self._sender.joined(broker, since)
        self._broker = broker
        self._store = broker if isinstance(broker, Store) else None
        self._up.set()
        self._next()
        logger.info(
            "on the bus%s, %d channels", " again" if self._joined_before else "", len(self._interest.taken)
        )
        self._ends.joined(again=self._joined_before)
        self._joined_before = True
        self.wake()
        self._subscriber.wish()

    def _part(self) -> bool:
        joined = self.up
        self._broker = self._store = None
        if joined:
            self._up.clear()
            self._outgoing.cut()
            self._ends.parted()
        self._next()
        self._subscriber.let_go()
        return joined

    async def _read(self, broker: Broker) -> None:
        if isinstance(broker, Prompt):
            broker.hand_to(self._ends.arrived)
        while True:
            deliveries = await broker.receive()
            for start in range(0, len(deliveries), SLICE):
                self._ends.arrived(deliveries[start : start + SLICE])
                if len(deliveries) > start + SLICE:
                    await asyncio.sleep(0)

    async def _check(self, broker: Broker) -> None:
        while True:
            reached = self._outgoing.backlog.reached
            await broker.check()
            self._sender.proven = reached
            await asyncio.sleep(CHECK_SECONDS)

    async def _farewell(self, broker: Broker) -> None:
        """Send the remaining envelopes and a goodbye, within a second."""
        if not self.up:
            return
        self._outgoing.flow()
        try:
            # asyncio.timeout does not raise TimeoutError in a task that is being cancelled (Python 3.11.2).
            await asyncio.wait_for(self._send_the_rest(broker), FAREWELL_SECONDS)
        except (BrokerError, TimeoutError) as exc:
            logger.warning("left the bus with %d envelopes unsent: %s", self._outgoing.unsent, exc)

    async def _send_the_rest(self, broker: Broker) -> None:
        for last_words in (self._ends.leaving, None):
            while await self._sender.send(broker):
                pass
            if last_words is not None:
                last_words()

    def _reopen(self) -> None:
        self._outgoing.window.reopen(time.monotonic())
        self._next()

    def _next(self) -> None:
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            set_once(step, None)
        if line := self.waiters.line:
            self.waiters.admit(self._outgoing.room if self.up else len(line))
