"""The hub: the bus of the nodes on one machine. It is a server on a Unix socket."""

from __future__ import annotations

import asyncio
import logging
import socket
import stat
from pathlib import Path
from typing import Self, cast

import msgspec

from socketio_cluster.manager.brokers.hub_channels import HubChannels
from socketio_cluster.manager.brokers.hub_frames import (
    Arrived,
    AskStore,
    Done,
    Frames,
    HubRequest,
    Publish,
    Subscribe,
    Unsubscribe,
    encode,
    told,
)
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.errors import SettingError

logger = logging.getLogger("socketio_cluster.manager")

WRITE_LIMIT = 64 * 1024 * 1024
"""A client with more unsent bytes than this is cut off. Its node recovers the gap when it has reconnected."""


class Hub:
    """Serves the Unix socket ``path`` between ``start()`` and ``close()``, or as an async context manager.

    Only the owner can use the socket (mode 0600), and a folder that has to be made for it (mode 0700).
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.channels = HubChannels()
        self._connected: set[HubClient] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Open the socket. The file of a dead hub is replaced.

        Raises ``SettingError`` if the path cannot be used or another hub serves it.
        """
        if await _is_live(self.path):
            raise SettingError(f"another hub serves {self.path}: give this one a path of its own")
        sock = await asyncio.to_thread(_bind, self.path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: HubClient(self), sock=sock)
        logger.info("local bus at %s", self.path)

    async def close(self) -> None:
        """Cut off all clients and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for member in list(self._connected):
            member.cut()
        await asyncio.to_thread(self.path.unlink, missing_ok=True)

    def join(self, member: HubClient) -> None:
        """Add a new connection. One that was accepted just before ``close`` is cut off."""
        self._connected.add(member)
        if self._server is None:
            member.cut()

    def leave(self, member: HubClient) -> None:
        """Remove a client and its subscriptions."""
        self.channels.leave(member)
        self._connected.discard(member)


class HubClient(Frames[HubRequest]):
    """One node's connection, on the side of the hub."""

    decoder = msgspec.msgpack.Decoder(HubRequest)

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.channels: set[str] = set()
        self._hub = hub
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the hub."""
        # A cast, because uvloop's transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._hub.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the hub."""
        self._hub.leave(self)

    def received(self, message: HubRequest) -> None:
        """Carry out a request and confirm it."""
        match message:
            case Publish(batch=batch):
                self._hub.channels.publish(batch)
            case Subscribe(channels=channels):
                self._hub.channels.subscribe(self, channels)
            case Unsubscribe(channels=channels):
                self._hub.channels.unsubscribe(self, channels)
            case AskStore(number=number, cluster=cluster, operation=operation):
                self._transport.write(told(number, self._hub.channels.ask(cluster, operation)))
                return
        self._transport.write(encode(Done(message.number)))

    def refused(self, reason: str) -> None:
        """Cut off a client that has sent bytes which are no frame."""
        logger.warning("local bus: a connection is closed for a malformed frame: %s", reason)
        self.cut()

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Write one frame, or cut the client off if it has stopped reading."""
        if self._transport.get_write_buffer_size() > WRITE_LIMIT:
            logger.warning("local bus: a node is %d MiB behind and is cut off", WRITE_LIMIT >> 20)
            self.cut()
        else:
            self._transport.write(encode(Arrived(deliveries)))

    def cut(self) -> None:
        """Close the connection at once. Unsent bytes are dropped."""
        self._hub.leave(self)
        self._transport.abort()


async def _is_live(path: Path) -> bool:
    """Whether a server accepts connections at this path."""
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_unix_connection(path)
    except TimeoutError:
        return True
    except OSError:
        return False
    writer.close()
    return True


def _bind(path: Path) -> socket.socket:
    """Make the socket's folder and file.

    It does not listen yet, so nobody can connect before its mode is set.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.bind(str(path))
            path.chmod(0o600)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        # The path may have more than 107 bytes or no permission, or it may be a file that is no socket.
        raise SettingError(f"the local bus cannot use {path}: {error}") from error
    return sock
