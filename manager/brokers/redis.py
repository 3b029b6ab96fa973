"""The Redis broker. It publishes and subscribes on one connection, or on two if the server knows only RESP2.

With one connection the server sends its replies and a node's own messages together: one read instead of two.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from socketio_cluster.manager.brokers.inbox import CONNECT_TIMEOUT, REPLY_TIMEOUT, Inbox
from socketio_cluster.manager.brokers.redis_commands import (
    command,
    publish_commands,
    publish_head,
    publish_owners,
    recording_commands,
    recording_owners,
    refused_events,
)
from socketio_cluster.manager.brokers.redis_compiled import sorting
from socketio_cluster.manager.brokers.redis_confirmations import Confirmations
from socketio_cluster.manager.brokers.redis_line import (
    RedisLine,
    check_primary,
    find_limit,
    tell_emptying,
    tells_emptied,
)
from socketio_cluster.manager.brokers.redis_replies import Replies, is_passing, settle
from socketio_cluster.manager.brokers.redis_store import RedisStore
from socketio_cluster.manager.brokers.redis_url import Settings, read_settings
from socketio_cluster.manager.bus.broker import Delivery, Done, Publication, Take
from socketio_cluster.manager.bus.store import Operation, Result
from socketio_cluster.manager.errors import BrokerError, PublishError, PublishRefused, WrongServer

logger = logging.getLogger("socketio_cluster.manager")


class Commands(NamedTuple):
    """The commands of one kind of pub/sub. The server's replies have the same words in lower case."""

    publish: bytes
    subscribe: bytes
    unsubscribe: bytes
    message: bytes


PLAIN = Commands(b"PUBLISH", b"SUBSCRIBE", b"UNSUBSCRIBE", b"message")
SHARDED = Commands(b"SPUBLISH", b"SSUBSCRIBE", b"SUNSUBSCRIBE", b"smessage")

Owners = Callable[[Sequence[Publication]], list[list[int]]]
"""A function that returns for each command of a batch the indexes of its publications."""


class RedisBroker:
    """A broker of one server."""

    def __init__(self, settings: Settings, words: Commands = PLAIN) -> None:
        self._words = words
        self._settings = settings
        self._publisher = self._subscriber = RedisLine(settings)
        self._store = RedisStore(settings, self.fail)
        self._inbox = Inbox()
        self._taken: dict[bytes, str] = {}
        self._confirmations = Confirmations(lambda: self.fail(self._silent(self._subscriber)))
        self._starting: asyncio.Future[None] | None = None
        self._tells_role = True
        self.limit: int | None = None

    async def open(self) -> RedisBroker:
        """Connect, and ask for the server's role and limits.

        Raises ``BrokerError``, for a replica ``WrongServer``.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._publisher.connect()
                self._tells_role = await check_primary(self._publisher)
                self.limit = await find_limit(self._publisher)
                if not await self._publisher.allow_pushes():
                    self._subscriber = RedisLine(self._settings)
                    await self._subscriber.connect()
                await tell_emptying(self._publisher, self._subscriber)
        except TimeoutError as error:
            await self.close()
            raise BrokerError(f"Redis at {self._publisher.name} does not answer") from error
        except BaseException:
            await self.close()
            raise
        self._listen()
        return self

    def _listen(self) -> None:
        self._subscriber.hand_to(sorting(self._inbox, self._taken, self._words.message, self._arrived))
        self._subscriber.on_end(self.fail)

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels. Returns when the server has confirmed each of them."""
        new = {name: channel for channel in channels if (name := channel.encode()) not in self._taken}
        self._taken |= new
        await self._confirmed(self._words.subscribe, list(new))

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Unsubscribe from these channels. Nothing of them is delivered from now on."""
        names = [name for channel in channels if self._taken.pop(name := channel.encode(), None) is not None]
        await self._confirmed(self._words.unsubscribe, names)

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Send the whole batch in one write and wait for its replies, which takes one round trip.

        Any error but a missing permission ends the broker.
        """
        published: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.start(batch, partial(settle, published))
        await published

    def start(self, batch: Sequence[Publication], done: Done) -> None:
        """Do as ``publish``, and call ``done`` at the end. See ``Direct``."""
        self._inbox.check()
        recording = bool([each for each in batch if each.recorded])  # a generator would cost twice as much
        if recording and not self._store.opened:
            self._starting = asyncio.ensure_future(self._store.open())
            self._starting.add_done_callback(partial(self._start_opened, batch, done))
            return
        commands = (recording_commands if recording else publish_commands)(batch, self._words.publish)
        if not commands:
            asyncio.get_running_loop().call_soon(done, None)
            return
        owners = recording_owners if recording else publish_owners

        def answered(replies: Replies | Exception) -> None:
            done(self.outcome(replies, batch, owners))

        try:
            self._publisher.ask_for(b"".join(commands), len(commands), answered)
        except BrokerError as error:
            raise self._broke(error) from error.__cause__

    def _start_opened(self, batch: Sequence[Publication], done: Done, opening: asyncio.Future[None]) -> None:
        try:
            opening.result()
            self.start(batch, done)
        except asyncio.CancelledError:
            done(BrokerError("closed"))
        except Exception as error:
            done(error)

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_batch.c`` works with, to publish, by the names there."""
        return {
            **self._publisher.native_parts(),
            "head": publish_head(self._words.publish),
            "inbox": self._inbox,
        }

    def outcome(
        self, replies: Replies | Exception, batch: Sequence[Publication], owners: Owners = publish_owners
    ) -> Exception | None:
        """Return the error that the replies to a batch tell of."""
        if isinstance(replies, TimeoutError):
            return self.fail(self._silent(self._publisher))
        if isinstance(replies, Exception):
            return self._broke(replies)
        try:
            denied = self._publisher.denied(replies)
        except BrokerError as error:
            cause = error.__cause__
            passing = isinstance(cause, ResponseError) and is_passing(cause)
            return self.fail(error) if passing else self._broke(error)
        refused = [*refused_events(replies)]
        if not (denied or refused):
            return None
        of_command, server = owners(batch), f"Redis at {self._publisher.name}"
        reasons = {index: why for at, why in denied.items() for index in of_command[at]}
        reasons.update({of_command[at][place]: f"{server}: {why}" for at, place, why in refused})
        return PublishRefused(reasons)

    def _broke(self, error: Exception) -> BrokerError:
        """End the broker, because its connection broke while it published."""
        broken = PublishError(str(error))
        broken.__cause__ = error.__cause__
        return self.fail(broken)

    async def check(self) -> None:
        """Ask for the server's role. A failover may make it a replica without ending its connections."""
        if not self._tells_role:
            return
        self._inbox.check()
        try:
            self._tells_role = await check_primary(self._publisher)
        except TimeoutError as error:
            raise self.fail(self._silent(self._publisher)) from error
        except BrokerError as error:
            raise self.fail(error) from error.__cause__

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Carry out an operation on what the server keeps for a cluster."""
        self._inbox.check()
        return await self._store.ask(cluster, operation)

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived. Waits for at least one. Cancelling loses nothing."""
        return await self._inbox.take()

    def hand_to(self, take: Take) -> None:
        """Give what arrives while ``receive`` waits to ``take`` at once. See ``Prompt``."""
        self._inbox.at_once = take

    async def put_behind(self, deliveries: list[Delivery]) -> None:
        """Deliver these, which came another way, behind everything that the server has published until now.

        The server confirms a subscription once more, and that comes behind what it has published.
        """
        for name in islice(self._taken, 1):
            await self._confirmed(self._words.subscribe, [name])
        self._inbox.put(deliveries)

    def fail(self, error: BrokerError) -> BrokerError:
        """End the broker. All calls that wait go on, and find the error in the inbox."""
        first = self._inbox.fail(error)
        self._confirmations.end()
        return first

    async def close(self) -> None:
        """Drop all connections at once."""
        self.fail(BrokerError("closed"))
        if self._starting is not None:
            self._starting.cancel()
        for line in (self._publisher, self._subscriber, self._store):  # Closing one twice is safe.
            try:
                await line.close()
            except BrokerError as error:
                logger.debug("while closing: %s", error)

    async def _confirmed(self, word: bytes, names: list[bytes]) -> None:
        """Send one command for all the channels. Wait for its confirmation and for all earlier ones.

        Another call may have asked for the same channels, and still wait for the server.
        """
        self._inbox.check()
        if names:
            try:
                self._subscriber.write(command(word, *names))
            except BrokerError as error:
                raise self.fail(error) from error.__cause__
            self._confirmations.expect(word.lower(), names)
        await self._confirmations.last()
        self._inbox.check()

    def _arrived(self, replies: Replies) -> None:
        """Handle what the server has sent to the subscriber.

        ``_sort.c`` stands before it where it is compiled.
        """
        try:
            self._sort(replies)
        except BrokerError as error:
            self.fail(error)
        except (TypeError, LookupError) as error:
            self.fail(
                BrokerError(f"Redis at {self._subscriber.name} sent something else than pub/sub: {error}")
            )

    def _sort(self, replies: Replies) -> None:
        """Put messages into the inbox, and match confirmations with the callers that wait for them."""
        taken, message, deliveries = self._taken, self._words.message, []
        confirm = self._confirmations.confirm
        for reply in replies:
            kind, name = reply[0], reply[1]
            if kind == message and (channel := taken.get(name)) is not None:
                deliveries.append(Delivery(channel, reply[2]))
            elif tells_emptied(kind, name):
                raise WrongServer(f"Redis at {self._subscriber.name} drops its data: it may become a replica")
            elif kind != message and not confirm(kind, name):
                # A Redis Cluster ends subscriptions by itself when a slot moves to another node.
                raise BrokerError(f"Redis at {self._subscriber.name} ended a subscription by itself")
        self._inbox.put(deliveries)

    def _silent(self, line: RedisLine) -> BrokerError:
        return BrokerError(f"Redis at {line.name} has not answered for {REPLY_TIMEOUT:g} s")


async def connect(url: str) -> RedisBroker:
    """Connect to ``redis://``, ``rediss://`` (TLS), ``valkey://`` or ``unix://`` (the path of a socket).

    Raises ``SettingError`` for a URL that cannot work, and ``BrokerError`` if the server is not reached.
    """
    return await RedisBroker(read_settings(url)).open()
