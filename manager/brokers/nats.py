"""The NATS broker: a connection to one server of a cluster, whose servers pass messages on to each other."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Sequence
from itertools import count
from secrets import token_hex

from socketio_cluster.manager.brokers.inbox import CONNECT_TIMEOUT, REPLY_TIMEOUT, SEED_TIMEOUT, Inbox
from socketio_cluster.manager.brokers.nats_line import PING, NatsLine
from socketio_cluster.manager.brokers.nats_routes import LEARN_SECONDS, TRIES, TRY_SECONDS, Routes
from socketio_cluster.manager.brokers.nats_subjects import root, subject
from socketio_cluster.manager.brokers.nats_url import Target, read_url
from socketio_cluster.manager.bus.broker import LARGEST, Delivery, Publication
from socketio_cluster.manager.errors import BrokerError, PublishError, PublishRefused

logger = logging.getLogger("socketio_cluster.manager")

HERE, PROBE, ECHO = 1, 2, 3
"""The numbers of the subscriptions that tell about other servers. Those of channels come after them."""


def sub(name: str, number: int) -> bytes:
    """Return the command that subscribes. A queue group may follow the subject, after a space."""
    return b"SUB %b %d\r\n" % (name.encode(), number)


def pub(name: str, payload: bytes) -> bytes:
    """Return the command that publishes a payload."""
    return b"PUB %b %d\r\n%b\r\n" % (name.encode(), len(payload), payload)


class NatsBroker:
    """A broker at one server. ``place`` is the server's ``host:port``."""

    def __init__(self, place: str) -> None:
        self._line = NatsLine(place, self)
        self._inbox = Inbox()
        self._numbers = count(ECHO + 1)
        self._taken: dict[str, int] = {}
        self._channels: dict[int, str] = {}
        self._servers: set[str] = set()
        self._apart: set[str] = set()
        self._publishing = asyncio.Lock()
        self._refused: set[str] = set()
        self._joining = asyncio.Lock()
        self._joined = False
        self._routes: Routes | None = None
        self._echoed = asyncio.Event()

    async def open(self, target: Target, seconds: float) -> NatsBroker:
        """Connect. Raises ``BrokerError``."""
        try:
            await self._line.open(target, seconds)
        except BaseException:
            await self.close()
            raise
        return self

    @property
    def limit(self) -> int | None:
        """The server's ``max_payload``."""
        return self._line.info.get("max_payload")

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels. Returns when all servers at which nodes are know it."""
        names = list(channels)
        if not names:
            return
        new = [(name, next(self._numbers)) for name in dict.fromkeys(names) if name not in self._taken]
        self._taken.update(new)
        self._channels.update((number, channel) for channel, number in new)
        await self._join(names[0])
        await self._ask(b"".join(sub(subject(channel), number) for channel, number in new) or PING)
        if self._routes is not None:
            await self._passed_on(self._routes)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Unsubscribe from these channels. Nothing of them is delivered from now on."""
        numbers = [self._taken.pop(channel) for channel in set(channels) if channel in self._taken]
        for number in numbers:
            del self._channels[number]
        await self._ask(b"".join(b"UNSUB %d\r\n" % number for number in numbers))

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Send the whole batch in one write, and wait until the server has handled it: one round trip."""
        limit = self.limit or LARGEST
        reasons = {
            index: f"NATS at {self._line.place} takes {limit} bytes at most (max_payload)"
            for index, publication in enumerate(batch)
            if len(publication.payload) > limit
        }
        if batch:
            await self._join(batch[0].channels[0])
        sent = [
            (index, subject(name), publication.payload)
            for index, publication in enumerate(batch)
            if index not in reasons
            for name in publication.channels
        ]
        async with self._publishing:
            self._refused.clear()
            try:
                await self._ask(b"".join(pub(name, payload) for _, name, payload in sent))
            except BrokerError as error:
                raise PublishError(str(error)) from error.__cause__
            for index, name, _ in sent if self._refused else ():
                if name.lower() in self._refused:
                    reasons[index] = f"NATS at {self._line.place}: this user may not publish to {name}"
        if reasons:
            raise PublishRefused(reasons)

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived. Waits for at least one. Cancelling loses nothing."""
        return await self._inbox.take()

    async def check(self) -> None:
        """Do nothing: any server passes messages on to all others."""

    async def close(self) -> None:
        """Drop the connection at once."""
        self.ended(BrokerError("closed"))
        await self._line.abort()

    async def _ask(self, commands: bytes) -> None:
        """Send commands. Returns when the server has handled them. Raises ``BrokerError``."""
        self._inbox.check()
        if commands and not await self._line.ask(commands):
            self.ended(BrokerError(f"NATS at {self._line.place} has not answered for {REPLY_TIMEOUT:g} s"))
        self._inbox.check()

    async def _join(self, channel: str) -> None:
        """Once, before anything else: make this node known at the other servers, and learn of them."""
        if self._joined or "cluster" not in self._line.info:
            return
        async with self._joining:
            if self._joined:
                return
            me = token_hex(8)
            routes = Routes(self._line.info["server_id"], root(channel), me)
            here, probe, _ = routes.subjects
            self._routes = routes
            number = routes.start()
            await self._ask(
                sub(here, HERE)
                + sub(f"{probe} {routes.server}", PROBE)
                + sub(routes.subjects.echo(me), ECHO)
                + pub(here, routes.server.encode())
                + pub(probe, routes.question(number))
            )
            await asyncio.sleep(LEARN_SECONDS)
            routes.finish(number)
            self._joined = True

    async def _passed_on(self, routes: Routes) -> None:
        """Wait until the other servers know all subscriptions that were sent before."""
        number = routes.start()
        try:
            for _ in range(TRIES):
                if self._inbox.error is not None or not routes.missing(number):
                    break
                self._line.send(pub(routes.subjects.probe, routes.question(number)))
                await self._answered(routes, number)
        finally:
            if silent := routes.finish(number):
                logger.info("NATS at %s: no answer from %d other servers", self._line.place, len(silent))
        self._inbox.check()

    async def _answered(self, routes: Routes, number: int) -> None:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                while routes.missing(number) and self._inbox.error is None:
                    self._echoed.clear()
                    await self._echoed.wait()
        except TimeoutError:
            return

    def arrived(self, number: int, payload: bytes) -> None:
        """Put a message into the inbox, or handle what is said about other servers."""
        if (channel := self._channels.get(number)) is not None:
            try:
                self._inbox.put([Delivery(channel, payload)])
            except BrokerError as error:
                self.ended(error)
        elif number <= ECHO and self._routes is not None:
            self._heard_route(self._routes, number, payload)

    def _heard_route(self, routes: Routes, number: int, payload: bytes) -> None:
        if number == HERE:
            routes.heard(payload.decode(errors="replace"))
        elif number == ECHO:
            routes.answered(payload)
            self._echoed.set()
        elif (answer := routes.answer(payload)) is not None:
            self._line.send(pub(*answer))

    def informed(self, servers: set[str]) -> None:
        """End the broker when a server comes back to the cluster.

        It may have been there all along, with nodes that did not hear this one, nor this one them. A new
        broker makes all of them ask for what they missed.
        """
        self._apart |= self._servers - servers
        self._servers = servers
        if back := self._apart & servers:
            self.ended(BrokerError(f"NATS at {self._line.place} was cut off from that at {min(back)}"))

    def denied(self, subject: str) -> None:
        """Note that the server has not taken a message to this subject."""
        self._refused.add(subject)

    def ended(self, why: BrokerError) -> None:
        """End the broker. All calls that wait go on, and find the error in the inbox."""
        self._inbox.fail(why)
        self._line.give_up()
        self._echoed.set()


async def connect(url: str) -> NatsBroker:
    """Connect to ``nats://`` or ``tls://`` with one or more servers, in any order.

    Raises ``SettingError`` for a URL that cannot work, and ``BrokerError`` if no server is reached.
    """
    target = await asyncio.to_thread(read_url, url)
    seconds = SEED_TIMEOUT if len(target.servers) > 1 else CONNECT_TIMEOUT
    troubles = []
    # In any order, so that the nodes are spread over the servers.
    for place in random.sample(target.servers, len(target.servers)):
        try:
            return await NatsBroker(place).open(target, seconds)
        except BrokerError as error:
            troubles.append(str(error))
    raise BrokerError("; ".join(troubles))
