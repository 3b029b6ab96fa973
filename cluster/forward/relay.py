"""A relay: the connection of a client and a line to another node, joined for good.

Bytes are copied as they come. A side that does not take what it gets stops the reading of the other, so
what is buffered stays at the transports' high-water mark, 64 KiB each way.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from socketio_cluster.cluster.forward.messages import Ask, encode
from socketio_cluster.manager.ids import node_of

PART_SECONDS: Final = 3.0
"""How long the other node may take to end a session whose client's connection ends here."""


class Half(asyncio.Protocol):
    """One of the two connections; what comes in goes out at the other."""

    __slots__ = ("_connections", "_ended", "_parted", "_transport", "other")

    other: Half

    def __init__(self, transport: asyncio.Transport, connections: set[Any]) -> None:
        self._transport = transport
        self._connections = connections
        self._ended = self._parted = False
        connections.add(self)

    def shutdown(self) -> None:
        """Leave it to the other side."""

    def data_received(self, data: bytes) -> None:
        """Pass it on, unless the other side has been told that nothing more comes."""
        if not self._parted:
            self.other._transport.write(data)

    def pause_writing(self) -> None:
        """Read no more at the other side: this one does not keep up."""
        if not self.other._transport.is_closing():
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again at the other side."""
        if not self.other._transport.is_closing():
            self.other._transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass the half-close on; the other direction goes on until it ends too."""
        self._ended = True
        transport = self.other._transport
        if self.other._ended or not transport.can_write_eof():
            transport.close()
            return False
        if not transport.is_closing():
            transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side in the same way: after what is on its way, or at once."""
        self._connections.discard(self)
        if exc is None:
            self.other._transport.close()
        else:
            self.other._transport.abort()


class LineHalf(Half):
    """The one that leads to the other node, ``node``."""

    __slots__ = ("node",)

    def __init__(self, transport: asyncio.Transport, connections: set[Any], node: str | None) -> None:
        super().__init__(transport, connections)
        self.node = node

    def shutdown(self) -> None:
        """Part, as uvicorn stops: the other node then ends the session, and says goodbye to its client."""
        if not self.other._ended and not self._transport.is_closing():
            self.other._parted = True
            self._transport.write_eof()
            asyncio.get_running_loop().call_later(PART_SECONDS, self._transport.close)


def join(client: asyncio.Transport, node: asyncio.Transport, ask: Ask, connections: set[Any]) -> None:
    """Join a client's connection to a line, and ask the node at its end to take the client.

    Args:
        client: the connection, its handshake not answered.
        node: a line's transport on which nothing has been asked.
        ask: the handshake.
        connections: uvicorn's open connections, to be told of a shutdown.
    """
    frame = encode(ask)
    node.write(len(frame).to_bytes(4, "big") + frame)
    one, two = Half(client, connections), LineHalf(node, connections, node_of(ask.sid))
    one.other, two.other = two, one
    node.set_protocol(two)
    client.set_protocol(one)
