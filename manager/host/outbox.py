"""The way to a client's connection by python-engineio's queue, with a bound.

python-engineio keeps an unbounded queue per connection: a client that does not read grows the node's
memory until its ping times out. Here the queue counts its bytes; when they pass the bound the client is
a slow consumer: what waits is thrown away and the connection closed, so that it comes back and knows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.host.byte_queue import POLL_PACKETS, Weighed
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.manager")

SLOW_CONSUMER = "slow consumer"


class Outbox(Weighed, asyncio.Queue[Any]):
    """The queue of a connection.

    python-engineio awaits the first packet and takes the rest until the queue says that it is empty; it
    says so after ``POLL_PACKETS``, and the next poll takes the next ones.
    """

    async def get(self) -> Any:
        """Wait for the first packet of a poll."""
        self._taken = 0
        return await super().get()

    def get_nowait(self) -> Any:
        """Take another packet; raises ``QueueEmpty`` when the poll has enough."""
        if self._taken >= POLL_PACKETS:
            raise asyncio.QueueEmpty
        item = super().get_nowait()
        self._taken += 1
        return item

    def drain(self) -> list[Any]:
        """Take all that waits."""
        packets = []
        while not self.empty():
            self._taken = 0
            packets.append(self.get_nowait())
            self.task_done()
        return packets

    def discard(self) -> None:
        """Throw away what waits, and let the writer end."""
        self.drain()
        self.put_nowait(None)


class Outlet:
    """Finds the way to each connection of one server."""

    def __init__(
        self,
        eio: Any,
        limit: int,
        stats: Stats,
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self._eio = eio
        self._limit = limit
        self._stats = stats
        self._spawn = spawn

    @classmethod
    def install(
        cls, host: Host, limit: int, stats: Stats, spawn: Callable[[Coroutine[Any, Any, Any]], None]
    ) -> Outlet:
        """Give the server's connections bounded queues of ``limit`` bytes."""
        outlet = cls(host.engine, limit, stats, spawn)
        host.use_queue(outlet.new_queue)
        return outlet

    def new_queue(self) -> Outbox:
        """Make the queue of a connection."""
        return Outbox(self._limit, self._slow)

    def of(self, eio_sid: str) -> Callable[[Outgoing], None]:
        """The function that hands an event to this connection."""
        socket = self._eio.sockets.get(eio_sid)
        if socket is None:
            return _nowhere
        own: Callable[[Outgoing], None] | None = getattr(socket, "outlet", None)
        if own is not None:
            return own  # a connection that does not speak Engine.IO

        def write(outgoing: Outgoing) -> None:
            if not socket.closed:
                for packet in outgoing.packets:
                    socket.queue.put_nowait(packet)

        return write

    def _slow(self, outbox: Outbox) -> None:
        """Close the connection of a full queue; looked for among all, as this is rare."""
        self._stats.slow_consumers += 1
        for socket in self._eio.sockets.values():
            if socket.queue is outbox:
                logger.warning("client %s does not read: disconnecting it", socket.sid)
                self._spawn(self._close(socket, outbox))

    async def _close(self, socket: Any, outbox: Outbox) -> None:
        try:
            await socket.close(wait=False, abort=True, reason=SLOW_CONSUMER)
        finally:
            outbox.discard()


def _nowhere(outgoing: Outgoing) -> None:
    """The connection went away before its client was known."""
