"""Fixes for the connection handling of python-socketio's asyncio server, put around its own methods.

python-socketio 5.18 does not remove a client when its connect handler raises, or when its transport ends
while that handler runs. Its ``call()`` waits until its timeout for a client that is gone. It logs, or even
obeys, packets that break the protocol.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from engineio import packet as eio_packet
from socketio import AsyncServer
from socketio.exceptions import TimeoutError as SocketIOTimeoutError

from socketio_cluster.manager.checks import check_namespace, plain_namespace
from socketio_cluster.manager.clients.acks import AckWaiter
from socketio_cluster.manager.clients.client import PENDING, Callback, Client
from socketio_cluster.manager.errors import EXITS, ConnectionGone, HandlerExit
from socketio_cluster.manager.host.deadline import Deadline
from socketio_cluster.manager.host.outbox import wait_for_tornado
from socketio_cluster.manager.host.posts import check_posts, handle_post
from socketio_cluster.manager.host.reader import Reader
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import in_context_of, keep_context
from socketio_cluster.manager.host.shared_fixes import (
    allow_service_task,
    call_result,
    check_answerable,
    check_call,
    has_namespace,
    install_fixes,
)
from socketio_cluster.manager.tasks import set_once

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")


def install(host: Host, manager: ClusterManager) -> None:
    """Put the fixes around a server's methods."""
    if host.engine.async_mode == "tornado":
        wait_for_tornado(host)
    install_fixes(host, Fixes(host, manager), Reader(host, manager).message)


class Fixes:
    """The methods of a server with the fixes."""

    def __init__(self, host: Host, manager: ClusterManager) -> None:
        self._host = host
        self._server = server = host.server
        self._manager = manager
        self._connect = server._handle_connect
        self._disconnect = server._handle_disconnect
        self._send_away = server.disconnect
        self._eio_connect = host.connect.own
        self._eio_disconnect = server._handle_eio_disconnect
        self._shutdown = server.shutdown
        self._emit = server.emit
        self._emits_plainly = getattr(server.emit, "__func__", None) is AsyncServer.emit
        self._connecting: dict[asyncio.Task[Any] | None, str] = {}
        """The tasks that run connect handlers; each has the sid of its connection."""
        self._deadline = Deadline(server.eio, manager.options.connect_seconds, self._joined, manager.spawn)

    def _joined(self, eio_sid: str) -> bool:
        return bool(self._manager.members.of_connection(eio_sid))

    def contain(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        """Return a layer before the handlers. It turns ``SystemExit`` and the like into ``HandlerExit``.

        It also awaits the coroutine that a function returns which is no coroutine function, such as a lambda:
        lanes do so. python-socketio would take it for an answer, or for the consent of a connect handler.
        """

        async def trigger(event: str, namespace: str, *args: Any) -> Any:
            try:
                result = await inner(event, namespace, *args)
                return await result if isinstance(result, CoroutineType) else result
            except EXITS as error:
                raise HandlerExit(event, error) from error

        return trigger

    async def handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        """Accept a new connection. It is closed if it joins no namespace in time."""
        self._deadline.watch(eio_sid)
        stats = self._manager.stats
        polling = "transport=polling" in environ.get("QUERY_STRING", "")
        stats.accepted["polling" if polling else "websocket"] += 1
        stats.connections += 1
        socket = self._server.eio.sockets.get(eio_sid)
        if socket is not None:
            keep_context(socket)
            if polling:
                check_posts(self._host, socket, handle_post)
        return await self._eio_connect(eio_sid, environ)

    async def handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        """Connect a client. If its connect handler fails, the client is removed and the error is logged."""
        namespace = namespace or "/"
        if not has_namespace(self._server, namespace):
            await self._host.refuse(eio_sid, namespace, "Invalid namespace")
            return
        before = self._manager.members.on_connection(eio_sid, namespace)
        arrivals = self._manager.recovery.arrivals if self._manager.recovery is not None else None
        if arrivals is not None:
            data = arrivals.expect(eio_sid, namespace, data)
        task = asyncio.current_task()
        self._connecting[task] = eio_sid
        try:
            await self._connect(eio_sid, namespace, data)
        except BaseException as exc:
            client = self._manager.members.on_connection(eio_sid, namespace)
            if client is not None and client is not before:
                await self._undo(client)
            if not isinstance(exc, Exception):
                raise
            if isinstance(exc, ConnectionGone):
                logger.debug("%s", exc)
            else:
                logger.exception("the connect handler of namespace %s failed", namespace)
        finally:
            self._connecting.pop(task, None)
            if arrivals is not None:
                arrivals.forget(eio_sid, namespace)

    async def _undo(self, client: Client) -> None:
        if client.state is not PENDING:
            await self._server.disconnect(client.sid, namespace=client.namespace, ignore_queue=True)
            return
        self._manager.basic_disconnect(client.sid, client.namespace)
        await self._host.refuse(client.eio_sid, client.namespace, "Internal server error")

    async def handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> None:
        """Disconnect a client. If its connect handler still runs, the client is disconnected after that."""
        client = self._manager.members.on_connection(eio_sid, namespace or "/")
        if client is not None and client.state is PENDING:
            client.lost = reason or self._server.reason.CLIENT_DISCONNECT
            return
        try:
            await self._disconnect(eio_sid, namespace, reason)
        except Exception:
            logger.exception("the disconnect handler of namespace %s failed", namespace or "/")
            if client is not None:
                self._manager.basic_disconnect(client.sid, client.namespace)

    async def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:
        """Disconnect a client. It is removed even if its disconnect handler raises; then this raises too.

        The handler runs in the client's own context, even if another client or another node asks for this.
        """
        self._manager.enter_loop()
        namespace = plain_namespace(namespace)
        client = self._manager.members.find(sid, namespace)
        if client is not None and client.session is not None:
            client.session.over = True
        socket = self._server.eio.sockets.get(client.eio_sid) if client is not None else None
        try:
            await in_context_of(socket, self._send_away(sid, namespace, ignore_queue))
        except Exception:
            self._manager.basic_disconnect(sid, namespace)
            raise

    async def handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        """End a connection. A poll that waits is answered at once, as Engine.IO's own server does it."""
        self._manager.stats.connections -= 1
        socket = self._server.eio.sockets.get(eio_sid)
        try:
            await in_context_of(socket, self._eio_disconnect(eio_sid, reason))
        finally:
            if socket is not None and not socket.upgraded:
                socket.queue.put_nowait(eio_packet.Packet(eio_packet.NOOP))

    async def shutdown(self) -> None:
        """Leave the bus and stop the server's background work. A second call does no harm."""
        self._deadline.close()
        await self._manager.close()  # First, because it forgets the objects of an event loop that has ended.
        await self._shutdown()
        allow_service_task(self._server.eio)

    def emit(
        self,
        event: str,
        data: Any = None,
        to: Any = None,
        room: Any = None,
        skip_sid: Any = None,
        namespace: str | None = None,
        callback: Callback | None = None,
        ignore_queue: bool = False,
        **chosen: Any,
    ) -> Awaitable[None]:
        """Emit as ``AsyncServer.emit``, but only ``to=None`` means everybody.

        The original evaluates ``to or room``, so ``to=[]``, ``to=0`` and ``to=""`` would reach everybody. It
        does not change a value that is given as ``room`` alone. It only writes a line to the log and calls
        the manager, so this does both itself, a coroutine less for each emit. ``chosen`` are the further
        arguments of ``cluster.AsyncServer``.
        """
        room = room if to is None else to
        if namespace is None:
            namespace = "/"
        elif type(namespace) is not str or not namespace:  # as `plain_namespace`; a call costs time
            namespace = check_namespace(namespace)
        if chosen or not self._emits_plainly:
            arguments = (event, data, None, room, skip_sid, namespace, callback, ignore_queue)
            return self._emit(*arguments, **chosen)  # type: ignore[no-any-return]
        logger = self._server.logger
        if type(logger) is not logging.Logger or logger.level <= logging.INFO:  # else `info` does nothing
            logger.info('emitting event "%s" to %s [%s]', event, room or "all", namespace)
        return self._manager.emit(
            event,
            data,
            namespace,
            room=room,
            skip_sid=skip_sid,
            callback=callback,
            ignore_queue=ignore_queue,
        )

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
        """Emit to one client of any node and return its answer, as ``AsyncServer.call``.

        Raises ``socketio.exceptions.TimeoutError`` after ``timeout`` seconds, and its subclass ``ClientGone``
        as soon as the client or its node is gone. Raises ``RuntimeError`` in the connect handler of the same
        client, which cannot answer before the handler has returned. Cancelling is safe: the client may still
        get the event, and its answer is then ignored.
        """
        to = sid if to is None else to
        check_call(self._server, to, namespace, timeout)
        check_answerable(self._manager.members, self._connecting.get(asyncio.current_task()), to, namespace)
        future: asyncio.Future[tuple[Any, ...] | None] = asyncio.get_running_loop().create_future()
        answer = AckWaiter(partial(set_once, future), timeout)
        try:
            await self._server.emit(
                event,
                data=data,
                room=to,
                namespace=namespace,
                callback=answer,
                ignore_queue=ignore_queue,
            )
            arguments = await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise SocketIOTimeoutError from None
        finally:
            answer.end()
        return call_result(arguments, to)
