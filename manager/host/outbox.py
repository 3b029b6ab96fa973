"""The way to a client's connection by python-engineio's queue, with a bound.

python-engineio keeps an unbounded queue per connection: a client that does not read grows the node's
memory until its ping times out. Here the queue counts its bytes, and the connection of a slow consumer
is closed and what waits thrown away, so that it comes back and knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from engineio.exceptions import EngineIOError

from socketio_cluster.manager.clients.backpressure import SLOW_CONSUMER, Backpressure
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.host.byte_queue import POLL_PACKETS, ByteQueue
from socketio_cluster.manager.host.server import Host


class Outbox(ByteQueue, asyncio.Queue[Any]):
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


class Outboxes:
    """Finds the way to each connection of one server."""

    def __init__(
        self,
        eio: Any,
        mark: int,
        backpressure: Backpressure,
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self._eio = eio
        self._mark = mark
        self._spawn = spawn
        self.behind = backpressure.behind

    @classmethod
    def install(
        cls,
        host: Host,
        mark: int,
        backpressure: Backpressure,
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> Outboxes:
        """Give the server's connections queues that say when more than ``mark`` bytes wait."""
        outboxes = cls(host.engine, mark, backpressure, spawn)
        host.use_queue(outboxes.new_queue)
        return outboxes

    def new_queue(self) -> Outbox:
        """Make the queue of a connection."""
        return Outbox(self._mark, self)

    def of(self, eio_sid: str) -> Callable[[Outgoing], None]:
        """The function that hands an event to this connection."""
        socket = self._eio.sockets.get(eio_sid)
        if socket is None:
            return _nowhere
        own: Callable[[Outgoing], None] | None = getattr(socket, "write_event", None)
        if own is not None:
            return own  # a connection that does not speak Engine.IO

        def write(outgoing: Outgoing) -> None:
            if not socket.closed:
                for packet in outgoing.packets:
                    socket.queue.put_nowait(packet)

        return write

    def cut_off(self, outbox: Outbox) -> str | None:
        """Close the connection of a queue, which is looked for among all, as this is rare."""
        for socket in self._eio.sockets.values():
            if socket.queue is outbox:
                self._spawn(self._close(socket, outbox))
                return str(socket.sid)
        return None

    async def _close(self, socket: Any, outbox: Outbox) -> None:
        try:
            await socket.close(wait=False, abort=True, reason=SLOW_CONSUMER)
        finally:
            outbox.discard()


def _nowhere(outgoing: Outgoing) -> None:
    """The connection went away before its client was known."""


def wait_for_tornado(host: Host) -> None:
    """Let an Engine.IO server in the async mode ``tornado`` wait for its clients."""
    eio = host.engine
    driver = host.driver("websocket")
    plain: Any = driver.own

    class PacedWebSocket(plain):  # type: ignore[misc]
        """python-engineio's class with another ``send``."""

        async def send(self, message: str | bytes) -> None:
            """Send a message; raises ``EngineIOError`` when the connection is closed or the client dead."""
            try:
                # A client that takes nothing for so long has answered no ping either.
                async with asyncio.timeout(eio.ping_interval + eio.ping_timeout):
                    await self.tornado_handler.write_message(message, binary=isinstance(message, bytes))
            except Exception as error:  # TimeoutError, or Tornado's WebSocketClosedError
                raise EngineIOError(f"the client cannot be written to: {error!r}") from error

    driver.put("tornado", lambda _: PacedWebSocket)
