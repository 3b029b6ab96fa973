"""A bounded queue for each connection of a threaded server, in place of python-engineio's.

python-engineio keeps an unbounded queue for each connection. A thread that writes to a client which does not
read blocks for as long as TCP does. Here the connection of a slow consumer is ended, and the WebSocket of an
ended connection is cut, so that its threads end too.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.clients.backpressure import SLOW_CONSUMER
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.host.byte_queue import POLL_PACKETS, ByteQueue
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.sync.session import cut

if TYPE_CHECKING:
    from socketio_cluster.manager.sync.sync_manager import SyncClusterManager


class Outbox(ByteQueue, queue.Queue[Any]):
    """The queue of one connection.

    python-engineio waits for the first packet, and then takes packets until the queue says that it is empty.
    The queue says so after ``POLL_PACKETS``, because clients refuse an answer to a poll with more packets.
    """

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take a packet. Raises ``queue.Empty`` if none comes in time or the poll has enough."""
        if block:
            self._taken = 0
        elif self._taken >= POLL_PACKETS:
            raise queue.Empty
        item = super().get(block, timeout)
        self._taken += 1
        return item

    def discard(self) -> None:
        """Drop all packets, and let the writer's thread end."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._taken = 0
                self.get(block=False)
                self.task_done()
        self.put(None)


class SyncOutboxes:
    """The queues of one server's connections."""

    def __init__(self, host: Host, manager: SyncClusterManager) -> None:
        self._server = host.server
        self._manager = manager
        # Imported here, because it loads simple-websocket, which only threaded servers need.
        from socketio_cluster.manager.host.sync.cuttable import CuttableWebSocket

        host.use_queue(self.new_queue)
        host.driver("websocket").put("cuttable", lambda _: CuttableWebSocket)

    def new_queue(self) -> Outbox:
        """Make the queue of a new connection."""
        return Outbox(self._manager.options.client_bytes, self)

    def of(self, eio_sid: str) -> Callable[[Outgoing], None]:
        """Return the function that puts an event into this connection's queue. The function never blocks."""
        socket = self._server.eio.sockets.get(eio_sid)

        def write(outgoing: Outgoing) -> None:
            if not socket.closed:
                for packet in outgoing.packets:
                    socket.queue.put(packet)

        def tell(outgoing: Outgoing) -> None:
            # Flask-SocketIO's test client has no connection. It replaces this method of the server instead.
            for packet in outgoing.packets:
                self._server._send_eio_packet(eio_sid, packet)

        return tell if socket is None else write

    def behind(self, outbox: Outbox) -> None:
        """Tell the node that a queue is above its mark. Does not wait: this thread holds its lock."""
        self._manager.node_thread.tell(self._manager.node_thread.inner.backpressure.behind, outbox)

    def break_off(self, eio_sid: str, reason: str) -> None:
        """Start a thread that closes a connection in such a way that its client connects again."""
        socket = self._server.eio.sockets.get(eio_sid)
        if socket is not None:
            self._server.start_background_task(self._close, socket, socket.queue, reason)

    def cut_off(self, outbox: Outbox) -> str | None:
        """Start a thread that closes the connection of a queue. This thread may hold the queue's lock.

        Returns the connection's sid, or None if it has already ended.
        """
        for socket in list(self._server.eio.sockets.values()):
            if socket.queue is outbox:
                self._server.start_background_task(self._close, socket, outbox)
                return str(socket.sid)
        return None

    def _close(self, socket: Any, outbox: Outbox, reason: str = SLOW_CONSUMER) -> None:
        try:
            socket.close(wait=False, abort=True, reason=reason)
        finally:
            outbox.discard()
            cut(socket)
