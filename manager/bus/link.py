"""The link keeps this node on the bus: the only place that connects, retries and gives up.

It runs one broker at a time. While that lives, four tasks work: the reader hands over what arrives, the
writer sends what waits in batches (what gathers while one batch is on its way makes the next), the third
brings the subscriptions in line with the interest, and the last asks the server whether it is still the
right one. When any of them fails the broker is closed, and after a pause another one takes every
subscription again before anything is sent. The pause is jittered, and grows until something got through.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.backoff import AWAY, TROUBLE, delay
from socketio_cluster.manager.bus.broker import Broker, Delivery
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.bus.outgoing import Outgoing
from socketio_cluster.manager.bus.sender import Sender
from socketio_cluster.manager.errors import BrokerError, WrongServer

logger = logging.getLogger("socketio_cluster.manager")

CONNECT_SECONDS: Final = 10.0
CHECK_SECONDS: Final = 5.0
"""How often the server is asked whether it still passes on what is published: every few heartbeats."""
SLICE: Final = 256
"""Deliveries handled before the loop gets a turn: at 5-50 µs each, a few milliseconds."""
PIECE: Final = 1000
"""Channels taken in one go: a few milliseconds, after which clients and heartbeats get their turn."""
FAREWELL_SECONDS: Final = 1.0


class Ends(Protocol):
    """What the link tells its node."""

    def arrived(self, deliveries: list[Delivery]) -> None:
        """These came from the bus."""

    def joined(self, *, again: bool) -> None:
        """The bus is reached and every subscription is taken."""

    def parted(self) -> None:
        """The bus is not reached any more."""

    def refused(self, entry: Entry, why: str) -> None:
        """The bus will never take this: it was given up."""

    def leaving(self) -> None:
        """Say the last words: everything else is sent."""


class Link:
    """A broker kept connected.

    Args:
        connect: makes a broker; raises ``BrokerError``.
        interest: the channels to take.
        outgoing: what to send.
        ends: who is told.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Broker]], interest: Interest, outgoing: Outgoing, ends: Ends
    ) -> None:
        self._connect = connect
        self._interest = interest
        self._outgoing = outgoing
        self._sender = Sender(outgoing, ends.refused)
        self._ends = ends
        self._work = asyncio.Event()
        self._wishes = asyncio.Event()
        self._broken: asyncio.Future[None] | None = None
        self._turn: asyncio.Future[None] | None = None
        self._up = asyncio.Event()
        self._joined_before = False

    @property
    def up(self) -> bool:
        """Whether the bus is reached and every subscription was taken."""
        return self._up.is_set()

    @property
    def limit(self) -> int:
        """Bytes of one envelope that the bus takes, as far as is known."""
        return self._sender.limit

    @property
    def publish_errors(self) -> int:
        """Batches that the bus did not take; they are sent again when it is back."""
        return self._sender.errors

    async def wait_up(self) -> None:
        """Return when the bus is reached."""
        await self._up.wait()

    def wake(self) -> None:
        """Say that there is something to send."""
        self._work.set()

    def wish(self) -> None:
        """Say that the interest has changed."""
        self._wishes.set()

    def fail(self, why: str) -> None:
        """Give the present broker up, because of ``why``."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(BrokerError(why))

    async def wait_subscribed(self, channel: str) -> None:
        """Return once the interest in this channel is in effect on the bus, or the bus is away."""
        self._wishes.set()
        while self.up and (channel in self._interest.taken) is not (channel in self._interest.wanted):
            await self._next_turn()

    async def drained(self) -> None:
        """Return at the next step forward: a batch sent, or the bus lost."""
        await self._next_turn()

    async def run(self) -> None:
        """Stay on the bus until cancelled."""
        attempt = 0
        while True:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    broker = await self._connect()
            except (BrokerError, TimeoutError) as exc:
                if attempt == 0:
                    logger.warning("cannot reach the bus, trying on: %s", exc or "no answer")
                if isinstance(exc, WrongServer):
                    self._sender.broke(exc)
                await asyncio.sleep(delay(attempt, random.random(), AWAY))  # noqa: S311 - jitter, not a secret
                attempt += 1
                continue
            attempt = 0 if await self._serve(broker) else attempt + 1
            await asyncio.sleep(delay(attempt, random.random(), TROUBLE))  # noqa: S311

    async def _serve(self, broker: Broker) -> bool:
        """Work with one broker until it fails; True when it joined, and not all it was to send is stuck."""
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
                group.create_task(self._write(broker))
                group.create_task(self._subscribe(broker))
                group.create_task(self._check(broker))
                # In the body, so that the group takes back its own cancellation of this task: when its tasks
                # fail while it only waits for them it does not (Python 3.11), and that would end the next
                # timeout of this task with CancelledError.
                await self._broken
        except BaseExceptionGroup as group_error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from None  # a group prefers the errors
            _, bugs = group_error.split(BrokerError)
            raise (bugs or group_error).exceptions[0] from None

    async def _join(self, broker: Broker) -> None:
        self._interest.lost()
        while await self._adjust(broker):
            pass  # what was wished for meanwhile
        self._sender.joined(broker)
        self._up.set()
        self._next()
        logger.info(
            "on the bus%s, %d channels", " again" if self._joined_before else "", len(self._interest.taken)
        )
        self._ends.joined(again=self._joined_before)
        self._joined_before = True
        self._work.set()
        self._wishes.set()

    def _part(self) -> bool:
        joined = self.up
        if joined:
            self._up.clear()
            self._outgoing.cut()
            self._ends.parted()
        self._next()
        return joined

    async def _read(self, broker: Broker) -> None:
        while True:
            deliveries = await broker.receive()
            for start in range(0, len(deliveries), SLICE):
                self._ends.arrived(deliveries[start : start + SLICE])
                if len(deliveries) > start + SLICE:
                    await asyncio.sleep(0)

    async def _write(self, broker: Broker) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while await self._sender.send(broker):
                self._next()

    async def _check(self, broker: Broker) -> None:
        while True:
            reached = self._outgoing.backlog.reached
            await broker.check()
            self._sender.proven = reached
            await asyncio.sleep(CHECK_SECONDS)

    async def _subscribe(self, broker: Broker) -> None:
        while True:
            await self._wishes.wait()
            self._wishes.clear()
            await self._adjust(broker)
            self._next()

    async def _adjust(self, broker: Broker) -> bool:
        """Bring the subscriptions in line with the interest; False when they were."""
        take, give = self._interest.changes()
        for start in range(0, len(give), PIECE):
            await broker.unsubscribe(give[start : start + PIECE])
        for start in range(0, len(take), PIECE):
            await broker.subscribe(take[start : start + PIECE])
            self._interest.took(take[start : start + PIECE])
            self._next()
        return bool(take or give)

    async def _farewell(self, broker: Broker) -> None:
        """Send what is left, and a goodbye, within a second."""
        if not self.up:
            return
        self._outgoing.flow()
        try:
            # Not asyncio.timeout, which does not say TimeoutError in a task that is being cancelled (3.11.2).
            await asyncio.wait_for(self._send_the_rest(broker), FAREWELL_SECONDS)
        except (BrokerError, TimeoutError) as exc:
            logger.warning("left the bus with %d envelopes unsent: %s", self._outgoing.unsent, exc)

    async def _send_the_rest(self, broker: Broker) -> None:
        for last_words in (self._ends.leaving, None):
            while await self._sender.send(broker):
                pass
            if last_words is not None:
                last_words()

    async def _next_turn(self) -> None:
        if self._turn is None:
            self._turn = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._turn)

    def _next(self) -> None:
        if self._turn is not None:
            self._turn.set_result(None)
            self._turn = None
