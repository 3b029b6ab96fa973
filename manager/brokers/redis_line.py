"""The line: one connection to a Redis server, with bursts of replies taken at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from redis.asyncio import Connection
from redis.driver_info import DriverInfo
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from socketio_cluster.manager.brokers.inbox import CONNECT_TIMEOUT
from socketio_cluster.manager.brokers.redis_url import Address, Settings
from socketio_cluster.manager.errors import BrokerError, SettingError, WrongServer

SEED_TIMEOUT = 1.5
"""Seconds for one of several sentinels or cluster nodes; a dead one must not use up the time of the rest."""

READ_SIZE = 256 * 1024
"""Bytes parsed at once; redis-py's 32 KiB would cut a burst into many small ones."""

DRIVER = DriverInfo()
"""What redis-py tells the server of itself; made here because it reads package metadata from disk."""


class RedisLine:
    """One RESP2 connection. Every failure is a ``BrokerError`` that names the server."""

    def __init__(self, settings: Settings) -> None:
        options: Settings = {"socket_read_size": READ_SIZE, "driver_info": DRIVER} | settings
        connection_class = options.pop("connection_class", Connection)
        try:
            self._connection = connection_class(**options)
        except TypeError as error:
            raise SettingError(f"a Redis URL with an option that does not exist: {error}") from None
        except (ValueError, RedisError) as error:
            raise SettingError(f"a Redis URL with an option that cannot be so: {error}") from None
        host, port = settings.get("host", "localhost"), settings.get("port", 6379)
        self.name = settings.get("path") or f"{host}:{port}"

    async def connect(self, seconds: float = CONNECT_TIMEOUT) -> None:
        """Open the connection, log in and select the database."""
        with self._naming("cannot be reached"):
            async with asyncio.timeout(seconds):
                await self._connection.connect()
        self._parsed = self._find_parsed()

    async def send(self, commands: bytes) -> None:
        """Write commands in their wire form; nothing is awaited before they are in the buffer."""
        with self._naming("is gone"):
            await self._connection.send_packed_command([commands], check_health=False)

    async def replies(self) -> list[Any]:
        """All replies at hand, at least one; raises ``BrokerError`` for an error among them."""
        with self._naming("failed"):
            found = await self._burst()
            if isinstance(found[-1], Exception):
                raise found[-1]
        return found

    async def answers(self, count: int) -> dict[int, str]:
        """Await the replies to ``count`` commands; give those this user may not send, by index, and why.

        Any other error among the replies is a ``BrokerError``.
        """
        denied: dict[int, str] = {}
        at = 0
        with self._naming("failed"):
            while at < count:
                burst = await self._burst()
                at += len(burst)
                if isinstance(burst[-1], NoPermissionError):
                    denied[at - 1] = f"Redis at {self.name}: {burst[-1]}"
                elif isinstance(burst[-1], Exception):
                    raise burst[-1]
        return denied

    async def try_ask(self, *words: str) -> Any:
        """Send one command and give its reply; None when the server does not answer such a command."""
        try:
            return await self.ask(*words)
        except BrokerError as error:
            if isinstance(error.__cause__, ResponseError):
                return None
            raise

    async def ask(self, *words: str) -> Any:
        """Send one command and give its reply, bytes undecoded."""
        with self._naming("failed"):
            await self._connection.send_command(*words)
            return await self._connection.read_response(timeout=math.inf, disconnect_on_error=False)

    async def close(self) -> None:
        """Drop the connection together with whatever is still unsent."""
        writer = getattr(self._connection, "_writer", None)
        if writer is not None:
            # disconnect() alone would keep the socket until a stopped server has read our last bytes.
            writer.transport.abort()
        with self._naming("failed"):
            await self._connection.disconnect(nowait=True)

    async def _burst(self) -> list[Any]:
        """All replies at hand, at least one; an error of the server is the last of them."""
        try:
            # No disconnect on errors: redis-py would silently open a new connection at the next send.
            found = [await self._connection.read_response(timeout=math.inf, disconnect_on_error=False)]
        except ResponseError as error:
            return [error]
        while type(reply := self._parsed()) in (list, int):
            found.append(reply)
        if isinstance(reply, Exception):
            found.append(reply)
        return found

    def _find_parsed(self) -> Callable[[], Any]:
        """Find the call that gives an already parsed reply or error, or anything else when none is left.

        redis-py has no public way to take a reply without an await, two timeouts and a formatted
        string (7 us each). hiredis's reader has it; where a redis-py hides it elsewhere we go on
        one reply at a time.
        """
        reader = getattr(getattr(self._connection, "_parser", None), "_reader", None)
        return getattr(reader, "gets", lambda: None)

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
    """Connect, and close again at the end."""
    line = RedisLine(settings)
    try:
        await line.connect(seconds)
        yield line
    finally:
        await line.close()


async def ask_any(hosts: list[Address], settings: Settings, *words: str) -> tuple[Address, Any]:
    """Ask one host after the other; give the first that answers and its reply, which is not None."""
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
"""Bytes left below each of the server's limits, for what goes with a message or waits in front of it."""

DEFAULT_OUTPUT: Final = 32 * 1024 * 1024
"""``client-output-buffer-limit`` of subscribers where nobody has changed it; hosted servers do not tell."""


async def check_primary(line: RedisLine) -> bool:
    """Raise ``WrongServer`` for a replica; False when the server does not tell its role.

    A replica takes PUBLISH and hands it to its own subscribers only, so those of the primary hear nothing.
    """
    role = await line.try_ask("ROLE")
    if role is None:
        return False
    if role[0] != b"master":
        raise WrongServer(
            f"Redis at {line.name} is not the primary (any more): nobody else hears what is published there"
        )
    return True


async def find_limit(line: RedisLine) -> int:
    """Ask for the bytes of the largest message that the server takes and hands on.

    It closes the connection of a publisher above the first two limits, and that of every subscriber above
    the third.
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
    """Give the hard limit from ``normal 0 0 0 slave 268435456 … pubsub 33554432 8388608 60``; 0 is none."""
    words = setting.split()
    return int(words[words.index("pubsub") + 1]) if "pubsub" in words else DEFAULT_OUTPUT
