"""The local broker: a node's connection to the hub of its machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from itertools import count
from typing import cast
from urllib.parse import unquote, urlsplit

import msgspec

from socketio_cluster.manager.brokers.hub_frames import (
    Arrived,
    AskStore,
    Frames,
    HubAnswer,
    HubRequest,
    Publish,
    Subscribe,
    Told,
    Unsubscribe,
    encode,
)
from socketio_cluster.manager.brokers.inbox import CONNECT_TIMEOUT, REPLY_TIMEOUT, Inbox
from socketio_cluster.manager.bus.broker import LARGEST, Delivery, Publication
from socketio_cluster.manager.bus.store import ANSWERS, Operation, Result
from socketio_cluster.manager.errors import BrokerError, SettingError

SOCKET_VARIABLE = "CLUSTER_LOCAL_SOCKET"
"""Where ``socketio-cluster serve`` tells its workers the hub's path."""


class LocalBroker(Frames[HubAnswer]):
    """A broker with one connection on a Unix socket. Requests are numbered and may overlap."""

    decoder = msgspec.msgpack.Decoder(HubAnswer)

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[bytes | None]] = {}
        self._inbox = Inbox()
        self._transport: asyncio.Transport
        self.limit = LARGEST

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels. Returns when the hub has confirmed it."""
        await self._ask(Subscribe(next(self._numbers), list(channels)))

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Unsubscribe from these channels."""
        await self._ask(Unsubscribe(next(self._numbers), list(channels)))

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Send the batch to the hub in one frame. Returns when the hub has confirmed it."""
        await self._ask(Publish(next(self._numbers), list(batch)))

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Let the hub carry out an operation on what it keeps."""
        raw = await self._ask(AskStore(next(self._numbers), cluster, operation))
        return msgspec.msgpack.decode(raw, type=ANSWERS[type(operation)])  # type: ignore[arg-type,no-any-return]

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived. Waits for at least one. Cancelling loses nothing."""
        return await self._inbox.take()

    async def check(self) -> None:
        """Do nothing: there is only one hub."""

    async def close(self) -> None:
        """Drop the connection at once."""
        self._fail(BrokerError("closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, which writes requests."""
        # A cast, because uvloop's transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the broker. All calls that wait raise ``BrokerError``."""
        self._fail(BrokerError(f"the local bus at {self._path} is gone: {exc or 'it closed the connection'}"))

    def received(self, message: HubAnswer) -> None:
        """Put deliveries into the inbox, or wake the call whose request is done."""
        if isinstance(message, Arrived):
            try:
                self._inbox.put(message.deliveries)
            except BrokerError as error:
                self._fail(error)
        elif (waiter := self._waiting.pop(message.number, None)) is not None and not waiter.done():
            waiter.set_result(message.result if isinstance(message, Told) else None)

    def refused(self, reason: str) -> None:
        """End the broker, because the server at this socket is not a hub."""
        self._fail(BrokerError(f"the local bus at {self._path} sent a malformed frame: {reason}"))

    async def _ask(self, request: HubRequest) -> bytes | None:
        self._inbox.check()
        waiter: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting[request.number] = waiter
        self._transport.write(encode(request))
        try:
            async with asyncio.timeout(REPLY_TIMEOUT):
                result = await waiter
        except TimeoutError as error:
            silence = f"the local bus at {self._path} has not answered for {REPLY_TIMEOUT:g} s"
            raise self._fail(BrokerError(silence)) from error
        finally:
            self._waiting.pop(request.number, None)
        self._inbox.check()
        return result

    def _fail(self, error: BrokerError) -> BrokerError:
        """End the broker. All calls that wait go on, and find the error in the inbox."""
        first = self._inbox.fail(error)
        self._transport.abort()
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_result(None)
        return first


def read_path(url: str) -> str:
    """Return the hub's socket of a ``local://`` URL. A URL without a path means ``CLUSTER_LOCAL_SOCKET``.

    Raises ``SettingError``.
    """
    parts = urlsplit(url)
    if parts.netloc:
        raise SettingError(f"local:// takes an absolute path: write local:///{parts.netloc}{parts.path}")
    path = unquote(parts.path) or os.environ.get(SOCKET_VARIABLE, "")
    if not path:
        raise SettingError(
            "local:// needs a hub: run the app with `python -m socketio_cluster serve`, "
            "or start one with `python -m socketio_cluster hub --socket PATH` and use local://PATH"
        )
    return path


async def connect(url: str) -> LocalBroker:
    """Connect to the hub at ``local:///path/to/bus.sock``. Raises ``SettingError`` and ``BrokerError``."""
    path = read_path(url)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, broker = await loop.create_unix_connection(lambda: LocalBroker(path), path)
    except TimeoutError as error:
        raise BrokerError(f"no local bus at {path}: it does not accept connections") from error
    except OSError as error:
        raise BrokerError(f"no local bus at {path}: {error.strerror or error}") from error
    return broker
