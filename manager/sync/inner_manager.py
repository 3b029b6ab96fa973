"""The node of a threaded server: a ``ClusterManager`` on an event loop in a thread of its own.

All book-keeping is done on that loop, one step at a time, so it needs no locks. Code of the application never
runs there, because it could block the node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.clients.backpressure import SLOW_CONSUMER
from socketio_cluster.manager.clients.client import LEAVING, PENDING
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import PacketClass
from socketio_cluster.manager.errors import AlreadyLeaving
from socketio_cluster.manager.host.connection import Connection
from socketio_cluster.manager.option_values import OptionValues
from socketio_cluster.manager.presence.handlers import Handlers
from socketio_cluster.manager.queries.server_events import ServerEvents
from socketio_cluster.manager.sync.in_thread import in_thread

if TYPE_CHECKING:
    from socketio_cluster.manager.host.server import Host
    from socketio_cluster.manager.host.sync.outbox import SyncOutboxes


class InnerManager(ClusterManager):
    """The node inside a ``SyncClusterManager``. Only the thread of its event loop may call its methods.

    Args:
        url: the bus, as for ``ClusterManager``.
        options: the fields of ``socketio_cluster.manager.options.Options``.
        host: the threaded server.
        outboxes: the queues of its connections.
        server_events: its handlers of events between servers.
        presence: its handlers of joins and leaves.
    """

    def __init__(
        self,
        url: str | None,
        options: OptionValues,
        host: Host,
        outboxes: SyncOutboxes,
        server_events: ServerEvents,
        presence: Handlers,
    ) -> None:
        super().__init__(url, **options)
        self.server_events = server_events
        self.presence.handlers = presence
        self.server = self.host = ThreadedServer(host)  # type: ignore[assignment]  # all that this manager asks of it
        self._sync_outboxes = outboxes

    def writer_of(self, eio_sid: str) -> Callable[[Outgoing], None]:
        """Return the function that writes events to a connection of the threaded server."""
        return self._sync_outboxes.of(eio_sid)

    async def send_back(self, eio_sid: str, reason: str = SLOW_CONSUMER) -> None:
        """End a connection in such a way that its client connects again, for a reason."""
        self._sync_outboxes.break_off(eio_sid, reason)

    async def close(self) -> None:
        """Leave the bus, and end all calls that wait for other nodes."""
        await super().close()
        for node in self.nodes():
            self.node_gone(node, died=False)

    def opened(self, environ: dict[str, Any]) -> None:
        """Count a new connection."""
        polling = "transport=polling" in environ.get("QUERY_STRING", "")
        self.stats.accepted["polling" if polling else "websocket"] += 1
        self.stats.connections += 1

    def closed(self) -> None:
        """Count the end of a connection."""
        self.stats.connections -= 1

    def pre_disconnect(self, sid: str, namespace: str) -> str:
        """Mark a client as leaving and return its connection's sid.

        Raises ``AlreadyLeaving`` if another thread has done so already.
        """
        client = self.members.find(sid, namespace)
        if client is None or client.state is LEAVING:
            raise AlreadyLeaving
        return super().pre_disconnect(sid, namespace)

    def lose(self, eio_sid: str, namespace: str, reason: str) -> bool:
        """Note the end of a client whose connect handler runs. Returns False if no connect handler runs."""
        client = self.members.on_connection(eio_sid, namespace)
        if client is None or client.state is not PENDING:
            return False
        client.lost = reason
        return True


class ThreadedServer:
    """The threaded server, with the asynchronous methods that a ``ClusterManager`` calls on its server."""

    asgi = False

    def __init__(self, host: Host) -> None:
        self._host = host
        self._server = host.server

    @property
    def packet_class(self) -> PacketClass:
        """The server's packet format."""
        return self._server.packet_class  # type: ignore[no-any-return]

    @property
    def always_connect(self) -> bool:
        """Whether clients are connected before their connect handler accepts them."""
        return self._server.always_connect  # type: ignore[no-any-return]

    @property
    def engine(self) -> Any:
        """The Engine.IO server."""
        return self._host.engine

    @property
    def environ(self) -> dict[str, Any]:
        """The environ of each connection."""
        return self._server.environ  # type: ignore[no-any-return]

    def connection(self, eio_sid: str) -> Connection | None:
        """What is known of a connection; None when it has ended."""
        return self._host.connection(eio_sid)

    def is_free(self, eio_sid: str) -> bool:
        """Whether a connection would take an event at once."""
        return self._host.is_free(eio_sid)

    async def disconnect(self, sid: str, namespace: str, ignore_queue: bool = False) -> None:
        """Disconnect a client of this node. Returns when its disconnect handler has returned."""
        await in_thread(self._server, self._server.disconnect, sid, namespace, ignore_queue)

    async def handle_disconnect(self, eio_sid: str, namespace: str, reason: str) -> None:
        """Take a client out of a namespace. Returns when its disconnect handler has returned."""
        await in_thread(self._server, self._host.handle_disconnect, eio_sid, namespace, reason)
