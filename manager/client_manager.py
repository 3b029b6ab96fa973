"""``ClusterManager``: the client manager of an asyncio server, whose methods python-socketio calls.

It keeps the clients of this node, delivers events to them, and publishes to the other nodes the events and
requests that concern their clients. ``docs/architecture.md`` shows the way of an emit.
"""

from __future__ import annotations

import logging
import os
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

from socketio_cluster.manager.bus.messages import Message
from socketio_cluster.manager.checks import plain_namespace
from socketio_cluster.manager.clients.backpressure import SLOW_CONSUMER, Backpressure
from socketio_cluster.manager.clients.client import CONNECTED, PENDING
from socketio_cluster.manager.clients.fanout import Fanout
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import PacketClass
from socketio_cluster.manager.emitting import EmittingMember
from socketio_cluster.manager.errors import ConnectionGone, SettingError
from socketio_cluster.manager.hearing import hear_compiled
from socketio_cluster.manager.host.fixes import install
from socketio_cluster.manager.host.handlers import Handlers
from socketio_cluster.manager.host.outbox import Outboxes
from socketio_cluster.manager.host.recovering import install_recovery
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import break_off
from socketio_cluster.manager.host.shared_fixes import forget_connections
from socketio_cluster.manager.ids import new_sid
from socketio_cluster.manager.inbound import Inbound
from socketio_cluster.manager.option_values import OptionValues
from socketio_cluster.manager.queries.calls import ClusterCalls
from socketio_cluster.manager.recovery.recovery import Recovery

logger = logging.getLogger("socketio_cluster.manager")

_managers: weakref.WeakSet[ClusterManager] = weakref.WeakSet()


def active_managers() -> list[ClusterManager]:
    """Return every cluster manager of this process, for code that starts and stops the process."""
    return list(_managers)


def _forked() -> None:
    for manager in _managers:
        manager._leave_home()


os.register_at_fork(after_in_child=_forked)


class ClusterManager(ClusterCalls, EmittingMember):
    """The client manager that makes many nodes one Socket.IO server.

    Args:
        url: the bus; its scheme chooses the broker: ``local://``, ``redis://``, ``rediss://``,
            ``redis+sentinel://``, ``redis+cluster://``, ``amqp://``, ``amqps://``, ``kombu+SCHEME://``.
            Without it the setting ``CLUSTER_BUS`` is used. Without that the process is alone.
        options: the fields of ``socketio_cluster.Options``.

    Raises:
        SettingError: a setting cannot work.
    """

    def __init__(self, url: str | None = None, **options: Unpack[OptionValues]) -> None:
        super().__init__(url, **options)
        self.backpressure = Backpressure(self.options.slow_seconds, self.stats)
        self.handlers = Handlers(self.options.handlers_per_client, self.stats)
        self._inbound = Inbound(self)
        self.direct_writer: Callable[[str], Callable[[Outgoing], None] | None] | None = None
        """Returns the writer of a connection that does not use python-engineio's queue, or None."""
        _managers.add(self)

    @property
    def packet_class(self) -> PacketClass:
        """The server's packet format."""
        return self.server.packet_class  # type: ignore[no-any-return]

    def heard(self, origin: str, message: Message) -> None:
        """Handle a message of another node."""
        self._inbound.handle(origin, message)

    # python-socketio: set-up

    def set_server(self, server: Any) -> None:
        """Take the server and install the fixes. Raises ``SettingError`` for a threaded server."""
        if not server.is_asyncio_based():
            raise SettingError(
                f"a {type(server).__name__} on threads takes a SyncClusterManager:"
                " a ClusterManager is for an AsyncServer"
            )
        super().set_server(server)
        self.host = host = Host(server)
        self._outboxes = Outboxes.install(host, self.options.client_bytes, self.backpressure, self.spawn)
        host.use_ids(lambda: new_sid(self.node.id))
        self.handlers.watch(host)
        install(host, self)
        if self.options.recovery_seconds is not None:
            install_recovery(host, self)

    def _new_recovery(self) -> Recovery | None:
        seconds = self.options.recovery_seconds
        recovery = Recovery(self, seconds) if seconds is not None else None
        self.fanout = recovery.follower.fanout if recovery is not None else Fanout(self)
        return recovery

    def recovered(self, sid: str) -> bool:
        """Whether a client of this node has its former session back, so that it has missed nothing."""
        return self.recovery is not None and self.recovery.recovered(sid)

    def _new_node(self) -> None:
        super()._new_node()
        if self.recovery is not None or type(self).heard is ClusterManager.heard:
            hear_compiled(self)
        self.stats.connections = 0
        if self.server is not None:
            forget_connections(self.server)
            self.backpressure.close()
            self.expiry.close()

    def initialize(self) -> None:
        """Do nothing: the first client or emit awaits ``start``."""

    # python-socketio: clients

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Register a client before its connect handler runs.

        Returns its sid, or None if the connection has joined the namespace already. An emit that is made
        after the return reaches the client.
        """
        await self.start()
        if self.members.on_connection(eio_sid, namespace) is not None:
            return None
        if self.recovery is not None:
            return await self.recovery.arrivals.pre_connect(eio_sid, namespace)
        sid = new_sid(self.node.id)
        self.basic_enter_room(sid, namespace, None, eio_sid=eio_sid)
        self.basic_enter_room(sid, namespace, sid, eio_sid=eio_sid)
        await self.node.subscribe(self.node.channels.namespace(namespace))
        return sid

    async def connect(self, sid: str, namespace: str) -> str | None:
        """Mark a client as connected, and send it the events that were emitted meanwhile.

        Raises ``ConnectionGone`` if the connection has ended and its connect handler was not called yet.
        """
        client = self.members.find(sid, namespace)
        if client is None:
            fresh = await self.pre_connect(sid, namespace)
            if fresh is None:
                return None
            sid, client = fresh, self.members.clients[fresh]
        if self.recovery is not None and client.session is not None and client.session.returning:
            await self.recovery.catch_up(client, client.session)
        if client.lost is not None and self.server.always_connect:
            raise ConnectionGone(f"client {sid} was cut off before its connect handler was called")
        complete = client.connected(time.time())
        if client.session is not None:
            client.session.written_at = time.monotonic()
        if client.lost is not None:
            await self.host.handle_disconnect(client.eio_sid, namespace, client.lost)
        elif client.kicked:
            await self.server.disconnect(sid, namespace=namespace, ignore_queue=True)
        elif not complete:
            logger.warning(
                "more than %d bytes were emitted to client %s while it connected: it has to connect again",
                self.held_bytes,
                sid,
            )
            self.stats.slow_consumers += 1
            await self.send_back(client.eio_sid)
        return sid

    async def send_back(self, eio_sid: str, reason: str = SLOW_CONSUMER) -> None:
        """End a connection in such a way that its client connects again. ``reason`` is for its handlers."""
        socket = self.server.eio.sockets.get(eio_sid)
        if socket is not None:
            await break_off(socket, reason)

    def message_too_large(self, eio_sid: str) -> None:
        """Note that a client has closed its connection with code 1009: a message was too large for it."""
        if self.recovery is not None:
            self.recovery.message_too_large(eio_sid)

    async def close(self) -> None:
        """Say goodbye to the other nodes and leave the bus."""
        await super().close()
        self.backpressure.close()

    async def can_disconnect(self, sid: str, namespace: str) -> bool:
        """Whether the server has to disconnect this client itself. If not, its node is asked to do it."""
        elsewhere = partial(self.remote.disconnect, plain_namespace(namespace), sid)
        client = await self._here(sid, namespace, elsewhere)
        if client is None:
            return False
        if client.state is PENDING:
            client.kicked = True  # It is disconnected when its connect handler has returned.
        return client.state is CONNECTED

    async def disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """Remove a client."""
        self.basic_disconnect(sid, namespace)

    def writer_of(self, eio_sid: str) -> Callable[[Outgoing], None]:
        """Return the function that writes events to a connection of this node's server."""
        direct = self.direct_writer(eio_sid) if self.direct_writer is not None else None
        return direct or self._outboxes.of(eio_sid)

    # python-socketio: events

    async def trigger_callback(self, sid: str | None, id: int, data: list[Any]) -> None:  # noqa: A002
        """Call the callback for a client's answer. An asynchronous one runs in a task of its own."""
        client = self.members.clients.get(sid) if sid else None
        if client is not None:
            self.fanout.answered(client, id, data)
