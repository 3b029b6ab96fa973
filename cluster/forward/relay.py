"""A relay: the connection of a client and a line to another node, joined until both end.

Bytes are copied as they come. When one side does not read, nothing is read from the other side either. So no
more is buffered than the high-water mark of the transports, 64 KiB each way.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from socketio_cluster.cluster.forward.line import framed
from socketio_cluster.cluster.forward.messages import Ask, encode
from socketio_cluster.manager.ids import node_of

PART_SECONDS: Final = 3.0
"""Seconds that the other node may take to end a session whose client is connected here."""
UPGRADE_SECONDS: Final = 2.0
"""Seconds that a new relay is spared at a shutdown: it begins with an upgrade of two round trips."""


class Half(asyncio.Protocol):
    """One of the two connections; the bytes that it receives leave by the other one."""

    __slots__ = ("_connections", "_ended", "_parted", "_transport", "other")

    other: Half

    def __init__(self, transport: asyncio.Transport, connections: set[Any]) -> None:
        self._transport = transport
        self._connections = connections
        self._ended = self._parted = False
        connections.add(self)

    def shutdown(self) -> None:
        """Do nothing at a shutdown of uvicorn: the other half acts."""

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on, unless the other side was told that no more come."""
        if not self._parted:
            self.other._transport.write(data)

    def pause_writing(self) -> None:
        """Stop reading from the other side, because this side does not keep up."""
        if not self.other._transport.is_closing():
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read from the other side again."""
        if not self.other._transport.is_closing():
            self.other._transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass the half-close on; the other direction stays open until it ends too."""
        self._ended = True
        transport = self.other._transport
        if self.other._ended or not transport.can_write_eof():
            transport.close()
            return False
        if not transport.is_closing():
            transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side in the same way.

        After the bytes that are on their way, or at once after an error.
        """
        self._connections.discard(self)
        if exc is None:
            self.other._transport.close()
        else:
            self.other._transport.abort()


class LineHalf(Half):
    """The half that leads to another node; ``node`` is its id."""

    __slots__ = ("_upgraded_at", "node")

    def __init__(self, transport: asyncio.Transport, connections: set[Any], node: str | None) -> None:
        super().__init__(transport, connections)
        self.node = node
        self._upgraded_at = asyncio.get_running_loop().time() + UPGRADE_SECONDS

    def shutdown(self) -> None:
        """Half-close the line, because uvicorn stops; not before the client has had time for its upgrade.

        The other node then ends the session, and its goodbye still reaches the client. During the upgrade it
        would not: the JavaScript client has stopped polling, and takes a WebSocket that ends for a reason to
        stay with polling. It would sit there without a transport until it misses a ping.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._upgraded_at:
            loop.call_at(self._upgraded_at, self._part)
        else:
            self._part()

    def _part(self) -> None:
        if not self.other._ended and not self._transport.is_closing():
            self.other._parted = True
            self._transport.write_eof()
            asyncio.get_running_loop().call_later(PART_SECONDS, self._transport.close)


def join(client: asyncio.Transport, node: asyncio.Transport, ask: Ask, connections: set[Any]) -> None:
    """Join a client's connection to a line, and ask the node at its end to serve the client.

    Args:
        client: the connection, whose handshake is not answered yet.
        node: the transport of a line on which nothing was asked.
        ask: the request for the WebSocket.
        connections: uvicorn's set of open connections, which it tells of a shutdown.
    """
    node.write(framed(encode(ask)))
    one, two = Half(client, connections), LineHalf(node, connections, node_of(ask.sid))
    one.other, two.other = two, one
    node.set_protocol(two)
    client.set_protocol(one)
