"""``RedisLine``: one connection to a Redis server, which takes all replies that have arrived at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import redis
from redis.asyncio import Connection
from redis.driver_info import DriverInfo
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from socketio_cluster.manager.brokers.inbox import CONNECT_TIMEOUT, SEED_TIMEOUT
from socketio_cluster.manager.brokers.redis_commands import command
from socketio_cluster.manager.brokers.redis_replies import HELLO, Answered, RedisReplies, Replies
from socketio_cluster.manager.brokers.redis_url import Address, Settings
from socketio_cluster.manager.errors import BrokerError, SettingError, WrongServer

DRIVER = DriverInfo()
"""The name and version that redis-py tells the server.

Made here, because this reads package metadata from disk.
"""


class RedisLine:
    """One connection, with RESP2 at first. Every failure is a ``BrokerError`` that names the server."""

    def __init__(self, settings: Settings) -> None:
        options: Settings = {"driver_info": DRIVER} | settings
        connection_class = options.pop("connection_class", Connection)
        try:
            self._connection = connection_class(**options)
        except TypeError as error:
            option = str(error).rpartition("argument ")[2]  # redis-py passes options on as keyword arguments
            raise SettingError(f"a Redis URL has no option {option}") from None
        except (ValueError, RedisError) as error:
            raise SettingError(f"a Redis URL with an option that cannot be so: {error}") from None
        host, port = settings.get("host", "localhost"), settings.get("port", 6379)
        self.name = settings.get("path") or f"{host}:{port}"
        self.pushes = False
        """Whether it speaks RESP3, so that it takes all commands also while it has subscriptions."""

    async def connect(self, seconds: float = CONNECT_TIMEOUT) -> None:
        """Open the connection, log in and select the database. Raises ``TimeoutError`` after ``seconds``."""
        with self._naming("cannot be reached"):
            async with asyncio.timeout(seconds):
                await self._connection.connect()
        self._replies = RedisReplies(self._transport(), self.name)

    def _transport(self) -> asyncio.Transport:
        """Return the transport, which redis-py has no public name for. It is a ``StreamWriter``'s."""
        try:
            transport: asyncio.Transport = self._connection._writer.transport
        except AttributeError:
            raise SettingError(
                f"redis {redis.__version__} keeps its connection in a way that is not known here:"
                " install redis 8.1"
            ) from None
        return transport

    async def allow_pushes(self) -> bool:
        """Change to RESP3. Returns False if the server does not speak it."""
        self.pushes = await self.try_run(HELLO) is not None
        return self.pushes

    def write(self, commands: bytes) -> None:
        """Write commands about subscriptions in their wire form. ``hand_to`` says who sees them confirmed."""
        if self.pushes:
            self._replies.write_pushed(commands)
        else:
            self._replies.write(commands)

    def hand_to(self, take: Callable[[Replies], None]) -> None:
        """Give messages and confirmations to ``take`` from now on: with RESP2 that is all that comes."""
        if self.pushes:
            self._replies.push_to(take)
        else:
            self._replies.hand_to(take)

    def on_end(self, ended: Callable[[BrokerError], object]) -> None:
        """Call ``ended`` with the error that ends the connection."""
        self._replies.on_end(ended)

    def ask_for(self, commands: bytes, count: int, done: Answered) -> None:
        """Write ``count`` commands, whose replies go to ``done``. See ``RedisReplies.ask_for``."""
        self._replies.ask_for(commands, count, done)

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_batch.c`` works with, to ask, by the names there."""
        return {"replies": self._replies, "ask_for": self._replies.ask_for}

    def denied(self, replies: Replies) -> dict[int, str]:
        """Return a reason for each command that this user may not send, by index.

        Any other error among the replies is raised as a ``BrokerError``.
        """
        denied: dict[int, str] = {}
        for at, reply in enumerate(replies):
            if isinstance(reply, NoPermissionError):
                denied[at] = f"Redis at {self.name}: {reply}"
            elif isinstance(reply, ResponseError):
                raise self._failed(reply)
        return denied

    async def try_ask(self, *words: str) -> Any:
        """Send one command and return its reply, or None if the server refuses this command."""
        return await self.try_run(command(*words))

    async def try_run(self, wire: bytes) -> Any:
        """Do as ``try_ask`` with a command in its wire form."""
        try:
            return await self.run(wire)
        except BrokerError as error:
            if isinstance(error.__cause__, ResponseError):
                return None
            raise

    async def ask(self, *words: str) -> Any:
        """Send one command and return its reply. See ``run``."""
        return await self.run(command(*words))

    async def run(self, wire: bytes) -> Any:
        """Send one command, given in its wire form, and return its reply. Texts in the reply are bytes.

        It leaves in one write with all others of this turn of the loop.

        Raises ``BrokerError``, and ``TimeoutError`` after ``REPLY_TIMEOUT``. Cancelling is safe.
        """
        reply = (await self._replies.ask_soon(wire))[0]
        if isinstance(reply, ResponseError):
            raise self._failed(reply)
        return reply

    def _failed(self, refusal: ResponseError) -> BrokerError:
        """Return the error for an error reply, which is its cause."""
        error = BrokerError(f"Redis at {self.name} failed: {refusal}")
        error.__cause__ = refusal
        return error

    async def close(self) -> None:
        """Drop the connection and all unsent bytes."""
        writer = getattr(self._connection, "_writer", None)
        if writer is not None:
            # disconnect() alone would keep the socket open until a stopped server has read the last bytes.
            writer.transport.abort()
        with self._naming("failed"):
            await self._connection.disconnect(nowait=True)
        await asyncio.sleep(0)  # In this turn the transport closes its socket.

    @contextmanager
    def _naming(self, trouble: str) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise BrokerError(f"Redis at {self.name} {trouble}: no answer in time") from error
        except (RedisError, OSError) as error:
            raise BrokerError(f"Redis at {self.name} {trouble}: {error}") from error


@asynccontextmanager
async def opened(settings: Settings, seconds: float = CONNECT_TIMEOUT) -> AsyncIterator[RedisLine]:
    """Open a connection, and close it at the end."""
    line = RedisLine(settings)
    try:
        await line.connect(seconds)
        yield line
    finally:
        await line.close()


async def ask_any(hosts: list[Address], settings: Settings, *words: str) -> tuple[Address, Any]:
    """Send a command to one host after the other, until one gives a reply that is not None.

    Returns that host and its reply. Raises ``BrokerError`` if there is none.
    """
    troubles = []
    for host, port in hosts:
        try:
            async with asyncio.timeout(SEED_TIMEOUT), opened(settings | {"host": host, "port": port}) as line:
                reply = await line.ask(*words)
        except TimeoutError:
            troubles.append(f"{host}:{port} does not answer")
        except BrokerError as error:
            troubles.append(str(error))
        else:
            if reply is not None:
                return (host, port), reply
            troubles.append(f"{host}:{port} does not know")
    raise BrokerError("; ".join(troubles))


MARGIN: Final = 1024 * 1024
"""Bytes that stay free below each limit of the server, for the protocol and for waiting messages."""

DEFAULT_OUTPUT: Final = 32 * 1024 * 1024
"""The default ``client-output-buffer-limit`` of subscribers, for hosted servers that do not tell theirs."""


async def check_primary(line: RedisLine) -> bool:
    """Raise ``WrongServer`` for a replica. Returns False if the server does not tell its role, else True.

    A replica accepts PUBLISH, but delivers only to its own subscribers. Those of the primary get nothing.
    """
    role = await line.try_ask("ROLE")
    if role is None:
        return False
    if role[0] != b"master":
        raise WrongServer(
            f"Redis at {line.name} is not the primary (any more): nobody else hears what is published there"
        )
    return True


EMPTIED: Final = b"__redis__:invalidate"
"""The channel of the message that ``tell_emptying`` asks for (Redis's "Client-side caching")."""
EMPTIED_PUSH: Final = b"invalidate"
"""The first word of that message with RESP3, where it has no channel."""


def tells_emptied(kind: bytes, name: bytes | None) -> bool:
    """Whether a message with these first two words tells that the server has no data any more."""
    return name == EMPTIED or kind == EMPTIED_PUSH


async def tell_emptying(asker: RedisLine, subscriber: RedisLine) -> None:
    """Let the server tell the subscriber, as soon as it subscribes to something, of the end of all its data.

    A demoted primary drops its data before it copies those of the new primary. What was published there until
    then never comes, and what is published later does come, so without a word a subscriber would not see the
    gap. The word comes between the two. Another reason for it is a FLUSHALL. A server that refuses says
    nothing.
    """
    if asker is subscriber:
        await asker.try_ask("CLIENT", "TRACKING", "ON", "OPTIN")
        return
    number = await subscriber.try_ask("CLIENT", "ID")
    if number is not None:
        await asker.try_ask("CLIENT", "TRACKING", "ON", "REDIRECT", str(number), "OPTIN")


async def find_limit(line: RedisLine) -> int:
    """Ask the server for its limits, and return the bytes of the largest message that it passes on.

    A larger message than the first two limits makes it close the publisher's connection. A larger one than
    the third limit makes it close the connection of every subscriber.
    """
    bulk, query, output = [
        await _setting(line, name)
        for name in ("proto-max-bulk-len", "client-query-buffer-limit", "client-output-buffer-limit")
    ]
    limits = [int(size) - MARGIN for size in (bulk, query) if size is not None and int(size)]
    subscriber = _of_subscribers(output.decode()) if output is not None else DEFAULT_OUTPUT
    if subscriber:
        limits.append(subscriber - MARGIN)
    return max(MARGIN // 2, min(limits))


async def _setting(line: RedisLine, name: str) -> bytes | None:
    reply = await line.try_ask("CONFIG", "GET", name)
    return reply[1] if reply else None


def _of_subscribers(setting: str) -> int:
    """Return the hard limit from ``normal 0 0 0 slave … pubsub 33554432 8388608 60``. 0 means no limit."""
    words = setting.split()
    return int(words[words.index("pubsub") + 1]) if "pubsub" in words else DEFAULT_OUTPUT
