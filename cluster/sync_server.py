"""``Server``: python-socketio's server on threads, with the questions to all nodes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, Unpack

import socketio

from socketio_cluster.cluster.handler_decorators import HandlerDecorators
from socketio_cluster.manager.checks import check_namespace
from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.queries.broadcast import Calls
from socketio_cluster.manager.queries.selection import Chosen, Rooms
from socketio_cluster.manager.queries.server_events import ServerEvents
from socketio_cluster.manager.sync.calls import BlockingClusterCalls
from socketio_cluster.manager.sync.presence import BlockingPresence
from socketio_cluster.manager.sync.sync_manager import SyncClusterManager

T = TypeVar("T")


class Server(HandlerDecorators, BlockingClusterCalls, socketio.Server):  # type: ignore[misc]
    """``socketio.Server``, for ``async_mode="threading"`` and a ``SyncClusterManager``.

    Arguments, methods and events are python-socketio's. The questions to all nodes are new. Flask-SocketIO
    makes a server of its own, whose manager has the same calls.
    """

    @property
    def cluster_manager(self) -> SyncClusterManager:
        """The manager that asks the other nodes; raises ``SettingError`` for another kind of manager."""
        if isinstance(self.manager, SyncClusterManager):
            return self.manager
        raise SettingError(f"a {type(self.manager).__name__} asks no other nodes: use a SyncClusterManager")

    @property
    def server_events(self) -> ServerEvents:  # type: ignore[override]
        """The handlers of ``on_server``."""
        return self.cluster_manager.server_events

    @property
    def presence(self) -> BlockingPresence:
        """Who is in which room, on all nodes together; raises ``SettingError`` as ``cluster_manager``."""
        return self.cluster_manager.presence

    def emit(
        self,
        event: str,
        data: Any = None,
        to: Rooms | None = None,
        room: Rooms | None = None,
        skip_sid: str | list[str] | None = None,
        namespace: str | None = None,
        callback: Callback | None = None,
        ignore_queue: bool = False,
        **chosen: Unpack[Chosen],
    ) -> None:
        """Emit as ``socketio.Server.emit``; ``chosen`` are the arguments of ``Chosen``.

        Raises what ``SyncClusterManager.emit`` raises, and with another manager ``SettingError`` for a
        ``Chosen``.
        """
        if not chosen:
            super().emit(event, data, to, room, skip_sid, namespace, callback, ignore_queue)
            return
        who = (check_namespace(namespace), room, skip_sid, callback, to)
        self.cluster_manager.emit(event, data, *who, ignore_queue=ignore_queue, **chosen)

    def send(
        self,
        data: Any,
        to: Rooms | None = None,
        room: Rooms | None = None,
        skip_sid: str | list[str] | None = None,
        namespace: str | None = None,
        callback: Callback | None = None,
        ignore_queue: bool = False,
        **chosen: Unpack[Chosen],
    ) -> None:
        """Emit the event ``message``, as ``emit``."""
        who = (to, room, skip_sid, namespace, callback)
        self.emit("message", data, *who, ignore_queue, **chosen)

    def call(
        self,
        event: str,
        data: Any = None,
        to: str | None = None,
        sid: str | None = None,
        namespace: str | None = None,
        timeout: float | None = 60,
        ignore_queue: bool = False,
    ) -> Any:
        """Emit to one client of any node and return its answer; several values are a tuple.

        ``to`` or ``sid`` is the client's sid. Raises ``socketio.exceptions.TimeoutError`` after ``timeout``
        seconds (None: never), and its subclass ``ClientGone`` as soon as the client is gone.
        """
        return super().call(event, data, to, sid, namespace, timeout, ignore_queue)

    def enter_room(
        self, sid: str, room: Any, namespace: str | None = None, *, history: int | None = None
    ) -> None:
        """Put a client into a room, where it first gets the last ``history`` events.

        See ``SyncClusterManager.enter_room``. Raises ``SettingError`` for history with another manager.
        """
        if history is None:
            super().enter_room(sid, room, namespace)
        else:
            self.cluster_manager.enter_room(sid, check_namespace(namespace), room, history=history)

    def wait_for(self, call: Callable[[Calls], Coroutine[Any, Any, T]]) -> T:
        """Run a call of the node on its loop and wait; returns what it returns and raises what it raises."""
        return self.cluster_manager.wait_for(call)

    def threaded(self, callback: Callback) -> Callback:
        """Let a callback run in a thread of its own."""
        return self.cluster_manager.threaded(callback)
