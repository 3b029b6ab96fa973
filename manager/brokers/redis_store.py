"""``RedisStore``: asks a Redis server for events and sessions, on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import chain
from secrets import token_urlsafe
from typing import Any

import msgspec

from socketio_cluster.manager.brokers import redis_scripts as scripts
from socketio_cluster.manager.brokers import redis_session_scripts as session_scripts
from socketio_cluster.manager.brokers.inbox import CONNECT_TIMEOUT, REPLY_TIMEOUT
from socketio_cluster.manager.brokers.redis_commands import SCRIPTS, Word, call
from socketio_cluster.manager.brokers.redis_home import Home, find_home
from socketio_cluster.manager.brokers.redis_line import RedisLine
from socketio_cluster.manager.brokers.redis_url import Settings
from socketio_cluster.manager.bus.stamp import EPOCH_CHARS
from socketio_cluster.manager.bus.stays import NONE, Stays
from socketio_cluster.manager.bus.store import (
    Begin,
    Change,
    Claim,
    Claimed,
    CloseRoom,
    Gap,
    Look,
    Open,
    Operation,
    Piece,
    Place,
    Read,
    Release,
    Renew,
    Result,
    Tail,
    Where,
)
from socketio_cluster.manager.errors import BrokerError


class RedisStore:
    """A connection that runs scripts.

    Args:
        settings: of the server.
        failed: is called with the error that ends the connection.
    """

    def __init__(self, settings: Settings, failed: Callable[[BrokerError], object]) -> None:
        self._line = RedisLine(settings)
        self._failed = failed
        self._opening: asyncio.Future[None] | None = None
        self._home = Home("", 0)
        self.opened = False
        """Whether it is connected and has its scripts."""

    async def open(self) -> None:
        """Connect and load the scripts, once. Raises ``BrokerError``."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        await asyncio.shield(self._opening)

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Carry out an operation. Raises ``BrokerError``."""
        await self.open()
        script, words = _worded(operation, self._home)
        try:
            reply = await self._line.run(call(script, cluster, *words))
        except TimeoutError:
            error = BrokerError(f"Redis at {self._line.name} has not answered for {REPLY_TIMEOUT:g} s")
            self._failed(error)
            raise error from None
        except BrokerError as error:
            self._failed(error)
            raise
        return _read(operation, reply)

    async def close(self) -> None:
        """Drop the connection. Those who wait get a ``BrokerError``."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        await self._line.close()

    async def _open(self) -> None:
        try:
            await self._line.connect(CONNECT_TIMEOUT)
            for script in SCRIPTS:
                await self._line.ask("SCRIPT", "LOAD", script)
            self._home = await find_home(self._line)
        except TimeoutError:
            raise BrokerError(f"Redis at {self._line.name} does not answer") from None
        self._line.on_end(self._failed)
        self.opened = True


def _worded(operation: Operation, home: Home) -> tuple[str, Iterable[Word]]:
    """Return the script for an operation, and its arguments."""
    match operation:
        case Begin(seconds=seconds, size=size):
            return scripts.BEGIN, (token_urlsafe(EPOCH_CHARS)[:EPOCH_CHARS], seconds, size, *home)
        case Look():
            return scripts.LOOK, ()
        case Open(sid, secret, namespace, node, claim, seconds, position, rooms, data, stays):
            fixed = (sid, secret, namespace, node, claim, seconds, position, data, _packed(stays))
            return session_scripts.OPEN, chain(fixed, chain.from_iterable(rooms.items()))
        case Claim(sid, secret, namespace, node, claim, seconds, channels, offset):
            words = (sid, secret, namespace, node, claim, seconds, channels, *(offset or ()))
            return session_scripts.CLAIM, words
        case Change(sid, claim, entered, left, data, channels, stays, gone, tried):
            last = () if data is None else (data,)
            packed, tries = msgspec.msgpack.encode(stays), " ".join(map(str, tried or ()))
            begin = (sid, claim, gone, channels, packed, tries)
            return session_scripts.CHANGE, (*begin, len(entered), *entered, len(left), *left, *last)
        case Renew(sessions, seconds):
            return session_scripts.RENEW, chain((seconds,), chain.from_iterable(sessions))
        case Release(sid, claim, seconds, gone):
            return session_scripts.RELEASE, (sid, claim, seconds, gone)
        case Gap():
            return scripts.GAP, ()
        case CloseRoom(channel):
            return session_scripts.CLOSE_ROOM, (channel,)
        case Where(sid, namespace):
            return session_scripts.WHERE, (sid, namespace)
        case Read(channels, after, count, size):
            return scripts.READ, (after, count, size, *(channels or ()))
        case Tail(channel, before, count, size):
            return scripts.TAIL, (channel, before, count, size)


def _read(operation: Operation, reply: list[Any]) -> Result:
    """Return what a reply to an operation means."""
    match operation:
        case Open():
            return _place(reply)
        case Begin() | Look():
            return _place(reply, *reply[3:]) if reply else None
        case Claim():
            if len(reply) == 1:
                return str(reply[0], "ascii")
            place = _place(reply)
            rooms = zip(reply[8::2], reply[9::2], strict=True)
            number, times = map(int, reply[7].split())
            return Claimed(
                reply[3].decode(),
                int(reply[4]),
                {room.decode(): int(position) for room, position in rooms},
                reply[5],
                place,
                msgspec.msgpack.decode(reply[6], type=Stays) if reply[6] else NONE,
                (number, times),
            )
        case Change():
            return int(reply[0])
        case Release() | Gap() | CloseRoom():
            return bool(reply[0])
        case Renew():
            return [sid.decode() for sid in reply]
        case Where():
            return reply[0].decode() if reply else None
        case Read() | Tail():
            events = [
                (int(number), payload) for number, payload in zip(reply[5::2], reply[6::2], strict=True)
            ]
            return Piece(events, int(reply[3]), bool(int(reply[4])), _place(reply))


def _packed(stays: Stays) -> bytes:
    return msgspec.msgpack.encode(stays) if stays != NONE else b""


def _place(reply: list[Any], age: bytes | None = None) -> Place:
    if reply[0] is None:
        raise BrokerError("Redis has lost the memory of recovery")
    seconds = None if age is None else int(age) / 1e6
    return Place(reply[0].decode(), int(reply[1]), int(reply[2]), seconds)
