"""``AsyncServer``: python-socketio's, with middlewares and exception handlers."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Unpack

import socketio
from socketio import packet
from socketio.exceptions import ConnectionRefusedError as SocketIOConnectionRefusedError

from socketio_cluster.cluster.handler_decorators import HandlerDecorators
from socketio_cluster.cluster.middleware.async_runner import AsyncMiddlewares
from socketio_cluster.cluster.middleware.refusal import Refused, Skip
from socketio_cluster.manager.checks import check_namespace
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.errors import FAILURES, SettingError
from socketio_cluster.manager.presence.presence import Presence
from socketio_cluster.manager.queries.calls import ClusterCalls
from socketio_cluster.manager.queries.selection import Chosen, Rooms
from socketio_cluster.manager.queries.server_events import ServerEvents

_REFUSALS: Final = (SocketIOConnectionRefusedError, ConnectionRefusedError)


class AsyncServer(AsyncMiddlewares, HandlerDecorators, ClusterCalls, socketio.AsyncServer):  # type: ignore[misc]
    """``socketio.AsyncServer`` whose events pass middlewares and whose errors answer the client's ack.

    Arguments, methods and events are python-socketio's; new are ``middleware``, ``exception_handler``
    and, with a ``ClusterManager``, the questions to all nodes of ``ClusterCalls``.
    """

    @property
    def cluster_manager(self) -> ClusterManager:
        """The manager that asks the other nodes; raises ``SettingError`` for another kind of manager."""
        if isinstance(self.manager, ClusterManager):
            return self.manager
        raise SettingError(f"a {type(self.manager).__name__} asks no other nodes: use a ClusterManager")

    @property
    def presence(self) -> Presence:
        """Who is in which room, on all nodes together; raises ``SettingError`` as ``cluster_manager``."""
        return self.cluster_manager.presence

    @property
    def server_events(self) -> ServerEvents:  # type: ignore[override]
        """The handlers of ``on_server``; raises ``SettingError`` as ``cluster_manager``."""
        return self.cluster_manager.server_events

    async def emit(
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
        """Emit as ``socketio.AsyncServer.emit``; ``chosen`` are the arguments of ``Chosen``.

        Raises what ``ClusterManager.emit`` raises, and with another manager ``SettingError`` for a
        ``Chosen``.
        """
        if not chosen:
            await super().emit(event, data, to, room, skip_sid, namespace, callback, ignore_queue)
            return
        who = (check_namespace(namespace), room, skip_sid, callback, to)
        await self.cluster_manager.emit(event, data, *who, ignore_queue=ignore_queue, **chosen)

    async def send(
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
        await self.emit("message", data, *who, ignore_queue, **chosen)

    async def call(
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
        return await super().call(event, data, to, sid, namespace, timeout, ignore_queue)

    async def enter_room(
        self, sid: str, room: Any, namespace: str | None = None, *, history: int | None = None
    ) -> None:
        """Put a client into a room, where it first gets the last ``history`` events.

        See ``ClusterManager.enter_room``. Raises ``SettingError`` for history with another manager.
        """
        if history is None:
            await super().enter_room(sid, room, namespace)
        else:
            await self.cluster_manager.enter_room(sid, check_namespace(namespace), room, history=history)

    _who = 1
    _notices: ClassVar = frozenset(("connect", "disconnect"))
    _failure = "Internal server error"
    _caught = FAILURES

    async def _notice(self, event: str, namespace: str, args: tuple[Any, ...]) -> Any:
        if event == "disconnect":
            return await super()._notice(event, namespace, args)
        try:
            return await self._connect(namespace, await self._before(event, namespace, args))
        except Skip:
            return None
        except _REFUSALS:
            raise
        except FAILURES as error:
            # Whatever the exception handler returns, the client is refused: an error must not let it in.
            answer = await self._rescue(event, namespace, args, error)
            raise Refused(self._failure, *([] if answer is None else [answer])) from error

    async def _connect(self, namespace: str, args: tuple[Any, ...]) -> Any:
        """Call the connect handler with ``auth``; when there is none, also without that argument.

        python-socketio would make the second call after any ``TypeError``. After one of a middleware, the
        client would be let in without that middleware.
        """
        try:
            return await super(AsyncMiddlewares, self)._trigger_event("connect", namespace, *args)
        except TypeError as error:
            if args[-1]:
                raise
            try:
                return await super(AsyncMiddlewares, self)._trigger_event("connect", namespace, *args[:-1])
            except TypeError:
                raise error from None

    async def _handle_event_internal(
        self,
        server: Any,
        sid: str,
        eio_sid: str,
        data: list[Any],
        namespace: str,
        id: int | None,  # noqa: A002 - python-socketio's name
    ) -> None:
        try:
            await super()._handle_event_internal(server, sid, eio_sid, data, namespace, id)
        except Exception as error:
            await self.answer_failed(sid, eio_sid, data[0], namespace, id, error)

    async def answer_failed(
        self, sid: str, eio_sid: str, event: str, namespace: str, ack_id: int | None, error: Exception
    ) -> None:
        """Send an error in the place of an ack that could not be encoded.

        Other errors are answered before.
        """
        answer = self._unanswerable(event, namespace, (sid,), error)
        ack = self.packet_class(packet.ACK, namespace=namespace, id=ack_id, data=[answer])
        await self._send_packet(eio_sid, ack)
