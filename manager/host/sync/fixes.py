"""Fixes for the connection handling of python-socketio's threaded server, put around its own methods.

``host/fixes.py`` does the same for the asyncio server. python-socketio does not remove a client when its
connect or disconnect handler raises, or when its transport ends while the connect handler runs. Two threads
may disconnect a client at the same time. ``call()`` waits until its timeout for a client that is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from engineio import packet as eio_packet
from socketio.exceptions import TimeoutError as SocketIOTimeoutError

from socketio_cluster.manager.checks import plain_namespace
from socketio_cluster.manager.clients.acks import AckWaiter
from socketio_cluster.manager.clients.client import PENDING, Client
from socketio_cluster.manager.errors import EXITS, AlreadyLeaving, HandlerExit
from socketio_cluster.manager.host.posts import check_posts
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.shared_fixes import (
    allow_service_task,
    call_result,
    check_answerable,
    check_call,
    has_namespace,
    install_fixes,
)
from socketio_cluster.manager.host.sync.flask_socketio import keep_recipients
from socketio_cluster.manager.host.sync.handlers import SyncHandlers
from socketio_cluster.manager.host.sync.reader import SyncReader, handle_post
from socketio_cluster.manager.host.sync.session import cut, hang_up, ping_with

if TYPE_CHECKING:
    from socketio_cluster.manager.sync.sync_manager import SyncClusterManager

logger = logging.getLogger("socketio_cluster.manager")

LINGER: Final = 5.0
"""Seconds that a WebSocket gets to close with a closing handshake, before its connection is cut."""


def install(host: Host, manager: SyncClusterManager) -> None:
    """Put the fixes around a server's methods."""
    keep_recipients()
    manager.handlers = SyncHandlers(host, manager.options.handlers_per_client)
    install_fixes(host, SyncFixes(host, manager), SyncReader(host, manager).read)


class SyncFixes:
    """The methods of a server with the fixes."""

    def __init__(self, host: Host, manager: SyncClusterManager) -> None:
        self._host = host
        self._server = server = host.server
        self._manager = manager
        self._connecting: dict[int, str] = {}
        """The ids of the threads that run connect handlers; each has the sid of its connection."""
        self._connect = server._handle_connect
        self._disconnect = server._handle_disconnect
        self._eio_connect = host.connect.own
        self._eio_disconnect = server._handle_eio_disconnect
        self._server_disconnect = server.disconnect
        self._shutdown = server.shutdown
        self._emit = server.emit

    def contain(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        """Return a layer before the handlers. It turns ``SystemExit`` and the like into ``HandlerExit``."""

        def trigger(event: str, namespace: str, *args: Any) -> Any:
            try:
                return inner(event, namespace, *args)
            except EXITS as error:
                raise HandlerExit(event, error) from error

        return trigger

    def handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        """Accept a new connection. It is closed if it joins no namespace in time.

        Returns False, which refuses the connection, while this node leaves.
        """
        if self._manager.leaving:
            return False
        self._manager.ask(self._manager.node_thread.inner.opened, environ)
        socket = self._server.eio.sockets.get(eio_sid)
        if socket is not None:  # Flask-SocketIO's test client has no socket.
            ping_with(self._manager.node_thread.later, socket)
            check_posts(self._host, socket, handle_post)
            self._manager.node_thread.later(self._manager.options.connect_seconds, self._close_late, eio_sid)
        return self._eio_connect(eio_sid, environ)

    def _close_late(self, eio_sid: str) -> None:
        socket = self._server.eio.sockets.get(eio_sid)
        if socket is not None and not socket.closed and not self._manager.members.of_connection(eio_sid):
            self._server.start_background_task(hang_up, socket, self._server.reason.SERVER_DISCONNECT)

    def handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        """Connect a client. If its connect handler fails, the client is removed and the error is logged."""
        namespace = namespace or "/"
        if not has_namespace(self._server, namespace):
            self._host.refuse(eio_sid, namespace, "Invalid namespace")
            return
        before = self._manager.members.on_connection(eio_sid, namespace)
        self._connecting[get_ident()] = eio_sid
        try:
            self._connect(eio_sid, namespace, data)
        except AlreadyLeaving:
            pass
        except BaseException as exc:
            client = self._manager.members.on_connection(eio_sid, namespace)
            if client is not None and client is not before:
                self._undo(client)
            if not isinstance(exc, Exception):
                raise
            logger.exception("the connect handler of namespace %s failed", namespace)
        finally:
            self._connecting.pop(get_ident(), None)
            self._forget(eio_sid)

    def _undo(self, client: Client) -> None:
        if client.state is not PENDING:
            self._server.disconnect(client.sid, namespace=client.namespace, ignore_queue=True)
            return
        self._manager.disconnect(client.sid, client.namespace)
        self._host.refuse(client.eio_sid, client.namespace, "Internal server error")

    def handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> None:
        """Disconnect a client. If its connect handler still runs, the client is disconnected after that."""
        namespace = namespace or "/"
        reason = reason or self._server.reason.CLIENT_DISCONNECT
        sid = self._manager.sid_from_eio_sid(eio_sid, namespace)
        if sid is None or self._manager.lose(eio_sid, namespace, reason):
            return
        try:
            self._disconnect(eio_sid, namespace, reason)
        except AlreadyLeaving:
            pass
        except Exception:
            logger.exception("the disconnect handler of namespace %s failed", namespace)
            self._manager.disconnect(sid, namespace)

    def handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        """End a connection. A waiting poll is answered with CLOSE. A WebSocket is cut after ``LINGER``."""
        self._manager.ask(self._manager.node_thread.inner.closed)
        environ = self._server.environ.get(eio_sid)
        socket = self._server.eio.sockets.get(eio_sid)
        try:
            self._eio_disconnect(eio_sid, reason)
        finally:
            if self._manager.members.of_connection(eio_sid):
                self._server.environ[eio_sid] = environ  # A disconnect handler that has yet to run needs it.
            if socket is not None and socket.upgraded:
                self._manager.node_thread.later(LINGER, cut, socket)
            elif socket is not None:
                socket.queue.put(eio_packet.Packet(eio_packet.CLOSE))

    def _forget(self, eio_sid: str) -> None:
        """Remove the environ of a connection that ended while its client connected."""
        socket = self._server.eio.sockets.get(eio_sid)
        if (socket is None or socket.closed) and not self._manager.members.of_connection(eio_sid):
            self._server.environ.pop(eio_sid, None)

    def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:
        """Disconnect a client of any node, as ``Server.disconnect``.

        The client is removed even if its disconnect handler raises; then this raises too.
        """
        namespace = plain_namespace(namespace)
        try:
            self._server_disconnect(sid, namespace=namespace, ignore_queue=ignore_queue)
        except AlreadyLeaving:
            pass
        except Exception:
            self._manager.disconnect(sid, namespace)
            raise

    def shutdown(self) -> None:
        """Stop the server's background work, close its connections, and leave the bus."""
        self._shutdown()
        allow_service_task(self._server.eio)
        self._manager.leave()

    def emit(
        self,
        event: str,
        data: Any = None,
        to: Any = None,
        room: Any = None,
        skip_sid: Any = None,
        namespace: str | None = None,
        *args: Any,
        **options: Any,
    ) -> None:
        """Emit as ``Server.emit``, but only ``to=None`` means everybody, not ``[]``, ``0`` and ``""``."""
        room = room if to is None else to
        namespace = plain_namespace(namespace)
        self._emit(event, data, None, room, skip_sid, namespace, *args, **options)

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
        """Emit to one client of any node and return its answer, as ``Server.call``.

        Raises ``socketio.exceptions.TimeoutError`` after ``timeout`` seconds, and its subclass ``ClientGone``
        as soon as the client or its node is gone. Raises ``RuntimeError`` in the connect handler of the same
        client, which cannot answer before the handler has returned.
        """
        to = sid if to is None else to
        check_call(self._server, to, namespace, timeout)
        check_answerable(self._manager.members, self._connecting.get(get_ident()), to, namespace)
        future: Future[tuple[Any, ...] | None] = Future()
        answer = AckWaiter(lambda arguments: None if future.done() else future.set_result(arguments), timeout)
        try:
            self._server.emit(
                event,
                data=data,
                room=to,
                namespace=namespace,
                callback=answer,
                ignore_queue=ignore_queue,
            )
            arguments = future.result(timeout)
        except TimeoutError:
            raise SocketIOTimeoutError from None
        finally:
            with suppress(RuntimeError):  # This node has left meanwhile, so nothing has to be undone.
                self._manager.ask(answer.end)
        return call_result(arguments, to)
