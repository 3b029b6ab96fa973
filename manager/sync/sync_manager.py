"""``SyncClusterManager``: the client manager of a threaded python-socketio server."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Unpack

from socketio import Manager

from socketio_cluster.manager.checks import room_list, skip_list
from socketio_cluster.manager.clients.acks import AckWaiter
from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.clients.packets import encode_event, shared_ack_id
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.sync.fixes import install
from socketio_cluster.manager.host.sync.flask_socketio import queues_beside
from socketio_cluster.manager.host.sync.handlers import SyncHandlers
from socketio_cluster.manager.host.sync.outbox import SyncOutboxes
from socketio_cluster.manager.ids import new_sid
from socketio_cluster.manager.option_values import OptionValues
from socketio_cluster.manager.options import from_environment
from socketio_cluster.manager.queries.selection import Chosen, choose
from socketio_cluster.manager.sync.green import check_threads
from socketio_cluster.manager.sync.in_thread import ThreadedServerEvents, threaded
from socketio_cluster.manager.sync.inner_manager import InnerManager
from socketio_cluster.manager.sync.node_thread import NodeThread
from socketio_cluster.manager.sync.thread_member import ThreadMember

logger = logging.getLogger("socketio_cluster.manager")


class SyncClusterManager(ThreadMember, Manager):  # type: ignore[misc]
    """The client manager that makes a Flask-SocketIO application a node of the cluster.

    Its work is done on an event loop in a thread of its own. The thread starts with the first client or emit,
    so the application may be imported before its server forks. Every call waits for its result.

    Args:
        url: the bus, as for ``ClusterManager``. Without it the setting ``CLUSTER_BUS`` is used. Without that
            the process is alone.
        options: the fields of ``socketio_cluster.manager.options.Options``.

    Raises:
        SettingError: a setting cannot work, or the server does not work with threads.
    """

    def __init__(self, url: str | None = None, **options: Unpack[OptionValues]) -> None:
        super().__init__()
        self.options = from_environment(url, options)
        self.leaving = False
        self.handlers: SyncHandlers
        """Counts the event handlers that run."""
        self._given = url, options
        self.server_events = ThreadedServerEvents(lambda: self.server)
        self.node_thread = NodeThread(self._make)

    def _make(self) -> InnerManager:
        if self.server is None:
            raise RuntimeError("this manager has no server: where none is, use socketio_cluster.Emitter")
        for queue in queues_beside():
            logger.warning(
                "SocketIO(message_queue=%r) reaches no client of this cluster: leave message_queue out beside"
                " a SyncClusterManager, and in processes without clients use socketio_cluster.Emitter",
                queue,
            )
        url, options = self._given
        parts = self.host, self._outboxes, self.server_events, self.presence.handlers
        inner = InnerManager(url, options, *parts)
        inner.door = self.door
        return inner

    def lose(self, eio_sid: str, namespace: str, reason: str) -> bool:
        """Note the end of a client whose connect handler runs. Returns False if no connect handler runs."""
        return self.ask(self._inner.lose, eio_sid, namespace, reason)

    # python-socketio: set-up

    def set_server(self, server: Any) -> None:
        """Take the server and install the fixes of its connection handling.

        Raises ``SettingError`` for a server that does not work with threads.
        """
        if server.is_asyncio_based():
            raise SettingError(
                f"an {type(server).__name__} takes a ClusterManager:"
                " a SyncClusterManager is for a Server on threads, such as Flask-SocketIO's"
            )
        super().set_server(server)
        check_threads(server.eio.async_mode)
        self.host = host = Host(server)
        self._outboxes = SyncOutboxes(host, self)
        host.use_ids(lambda: new_sid(self.node_id))
        install(host, self)

    def initialize(self) -> None:
        """Do nothing: the first client or emit starts the node."""

    # python-socketio: clients

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Register a client before its connect handler runs.

        Returns its sid, or None if the connection has joined the namespace already.
        """
        return self._run(self._inner.pre_connect(eio_sid, namespace))

    def connect(self, sid: str, namespace: str) -> str | None:
        """Mark a client as connected, and send it the events that were emitted meanwhile."""
        return self._run(self._inner.connect(sid, namespace))

    def can_disconnect(self, sid: str, namespace: str) -> bool:
        """Whether the server has to disconnect this client itself.

        If the client is on another node, that node is asked to disconnect it.
        """
        return self._run(self._inner.can_disconnect(sid, namespace))

    def pre_disconnect(self, sid: str, namespace: str) -> str:
        """Mark a client as leaving and return its connection's sid."""
        return self.ask(self._inner.pre_disconnect, sid, namespace)

    def disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """Remove a client."""
        self.ask(self._inner.basic_disconnect, sid, namespace)

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        """Whether this is a client of this node whose connect handler runs."""
        return self._inner.is_pre_connected(sid, namespace)

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Whether this is a connected client of this node."""
        return self._inner.is_connected(sid, namespace)

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """Return the sid of a connection in a namespace, or None."""
        return self._inner.sid_from_eio_sid(eio_sid, namespace)

    def eio_sid_from_sid(self, sid: str, namespace: str = "/") -> str | None:
        """Return the connection's sid of a client of this node, or None."""
        return self._inner.eio_sid_from_sid(sid, namespace)

    # python-socketio: rooms

    @property
    def rooms(self) -> dict[str, Any]:
        """``rooms[namespace][room]`` maps sids to clients of this node. The room None holds everybody."""
        return self._inner.rooms

    @rooms.setter
    def rooms(self, value: object) -> None:
        """Ignore the table of the base class."""

    def get_namespaces(self) -> list[str]:
        """Return the namespaces that have clients on this node."""
        return list(self._inner.get_namespaces())

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """Yield ``(sid, eio_sid)`` of each client of this node that is in a room or a list of rooms."""
        yield from self.ask(lambda: list(self._inner.get_participants(namespace, room)))

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """Return the rooms of a client of this node. Its own room is one of them."""
        return self.ask(self._inner.get_rooms, sid, namespace)

    def is_sid_room(self, namespace: str, room: Any) -> bool:
        """Whether the room is a client's own room on this node. Such rooms are private."""
        return self.ask(self._inner.is_sid_room, namespace, room)

    def enter_room(
        self, sid: str, namespace: str, room: Any, eio_sid: str | None = None, *, history: int | None = None
    ) -> None:
        """Put a client of any node into a room. An emit that is made after the return reaches it.

        ``history`` is that of ``ClusterManager.enter_room``.

        Raises:
            ValueError: the sid is unknown, the room is another client's own, or no bus can carry its name.
            TypeError: the room is neither str nor int.
            NodeTimeout: the client's node did not confirm in time.
        """
        self._run(self._inner.enter_room(sid, namespace, room, history=history))

    def leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Take a client of any node out of a room. Raises ``NodeTimeout`` as ``enter_room`` does."""
        self._run(self._inner.leave_room(sid, namespace, room))

    def close_room(self, room: Any, namespace: str) -> None:
        """Take all clients on all nodes out of a room. Raises ``NodeTimeout`` as ``enter_room`` does."""
        self._run(self._inner.close_room(room, namespace))

    # python-socketio: events

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Callback | None = None,
        to: Any = None,
        *,
        ignore_queue: bool = False,
        **chosen: Unpack[Chosen],
    ) -> None:
        """Emit to everybody in the namespace, to a room, to a list of rooms or to a sid, on every node.

        Returns when the event is in the queues of this node's clients and waits for the bus. It does not wait
        until clients have got it. Raises what the serializer raises for data that it cannot encode.
        ``chosen`` are the arguments of ``Chosen``, which are checked as those of a question.
        """
        back = callback
        if callback is not None and not isinstance(callback, AckWaiter):
            back = self.threaded(callback)
        # Encoded here, not on the loop: a serializer of the application may depend on its thread or context.
        if chosen:
            target, volatile = choose(room if to is None else to, skip_sid, namespace, ignore_queue, **chosen)
            emits = self._inner.selective_emits
            selected = emits.encode(event, data, target, callback)
            self._run(emits.emit(selected, target, back, volatile=volatile))
            return
        rooms, skip = room_list(room if to is None else to), skip_list(skip_sid)
        ack_id = 0 if callback is None else shared_ack_id()
        encoded = encode_event(self._inner.packet_class, event, data, namespace, ack_id)
        self._run(self._inner.emit_encoded(encoded, namespace, rooms, skip, back, ignore_queue))

    def threaded(self, callback: Callback) -> Callback:
        """Let a callback run in a thread of its own."""
        return threaded(self.server, callback)

    def trigger_callback(self, sid: str | None, id: int, data: list[Any]) -> None:  # noqa: A002
        """Call the callback for a client's answer, in a thread of its own."""
        self._run(self._inner.trigger_callback(sid, id, data))
