"""A bounded queue for each connection, in place of python-engineio's.

python-engineio keeps an unbounded queue for each connection. A client that does not read makes it grow until
its ping times out. The queue here counts its bytes. The connection of a slow consumer is closed and its queue
is dropped, so that the client connects again and knows of the gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from engineio.exceptions import EngineIOError

from socketio_cluster.manager.clients.backpressure import SLOW_CONSUMER, Backpressure
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.host.byte_queue import POLL_PACKETS, ByteQueue
from socketio_cluster.manager.host.server import Host


class WaitingPoll(Protocol):
    """A poll that waits for a packet."""

    def wake(self) -> None:
        """Answer soon. More packets may come before."""


class Outbox(ByteQueue, asyncio.Queue[Any]):
    """The queue of one connection.

    python-engineio awaits the first packet, and then takes packets until the queue says that it is empty. The
    queue says so after ``POLL_PACKETS``, and the next poll takes the next ones.
    """

    poll: WaitingPoll | None = None
    """A poll that waits without a task. It is woken once, by the next packet."""

    def _put(self, item: Any) -> None:
        super()._put(item)
        poll = self.poll
        if poll is not None:
            self.poll = None
            poll.wake()

    async def get(self) -> Any:
        """Wait for the first packet of a poll and take it."""
        self._taken = 0
        return await super().get()

    def get_nowait(self) -> Any:
        """Take another packet. Raises ``QueueEmpty`` if there is none or the poll has enough."""
        if self._taken >= POLL_PACKETS:
            raise asyncio.QueueEmpty
        item = super().get_nowait()
        self._taken += 1
        return item

    def take(self) -> list[Any] | None:
        """Take the packets of one answer to a poll; None if nothing waits.

        As in python-engineio, a mark of the end alone makes an empty answer, and one behind packets stays.
        """
        waiting = self.qsize()
        if not waiting:
            return None
        packets: list[Any] = []
        for _ in range(min(waiting, POLL_PACKETS)):
            packet = self._get()
            self.task_done()
            if packet is None:
                if packets:
                    self.put_nowait(None)
                break
            packets.append(packet)
        return packets

    def drain(self) -> list[Any]:
        """Take and return all packets."""
        packets = []
        while not self.empty():
            self._taken = 0
            packets.append(self.get_nowait())
            self.task_done()
        return packets

    def discard(self) -> None:
        """Drop all packets, and let the writer's task end."""
        self.drain()
        self.put_nowait(None)


class Outboxes:
    """The queues of one server's connections."""

    def __init__(
        self,
        eio: Any,
        mark: int,
        backpressure: Backpressure,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
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
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> Outboxes:
        """Give each new connection of a server such a queue, with this mark in bytes."""
        outboxes = cls(host.engine, mark, backpressure, spawn)
        host.use_queue(outboxes.new_queue)
        return outboxes

    def new_queue(self) -> Outbox:
        """Make the queue of a new connection."""
        return Outbox(self._mark, self)

    def of(self, eio_sid: str) -> Callable[[Outgoing], None]:
        """Return the function that puts an event into this connection's queue."""
        socket = self._eio.sockets.get(eio_sid)
        if socket is None:
            return _nowhere
        own: Callable[[Outgoing], None] | None = getattr(socket, "write_event", None)
        if own is not None:
            return own  # This is a plain client, which does not speak Engine.IO.

        def write(outgoing: Outgoing) -> None:
            if not socket.closed:
                for packet in outgoing.packets:
                    socket.queue.put_nowait(packet)

        return write

    def cut_off(self, outbox: Outbox) -> str | None:
        """Start to close the connection of a queue.

        Returns the connection's sid, or None if it has already ended. All connections are searched for the
        queue, because this is rare.
        """
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
    """Drop an event, because the connection ended before its client was added."""


def wait_for_tornado(host: Host) -> None:
    """Make an Engine.IO server in the async mode ``tornado`` wait until Tornado has written a message.

    python-engineio writes to Tornado's WebSockets without waiting. Messages that a client does not read would
    pile up in Tornado's buffer, behind the bounded queue. With this change a write ends only when Tornado has
    room again, so the bounded queue fills and its bound holds.
    """
    eio = host.engine
    driver = host.driver("websocket")
    plain: Any = driver.own

    class PacedWebSocket(plain):  # type: ignore[misc]
        """python-engineio's WebSocket class with another ``send``."""

        async def send(self, message: str | bytes) -> None:
            """Send a message. Raises ``EngineIOError`` if the connection is closed or the client is dead."""
            try:
                # A client that has taken nothing for so long has not answered a ping either.
                async with asyncio.timeout(eio.ping_interval + eio.ping_timeout):
                    await self.tornado_handler.write_message(message, binary=isinstance(message, bytes))
            except Exception as error:  # TimeoutError, or Tornado's WebSocketClosedError
                raise EngineIOError(f"the client cannot be written to: {error!r}") from error

    driver.put("tornado", lambda _: PacedWebSocket)
