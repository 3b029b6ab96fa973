"""The fixes that the asyncio server and the threaded server of python-socketio have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from socketio.base_server import BaseServer

from socketio_cluster.manager.checks import check_namespace, check_timeout
from socketio_cluster.manager.client_gone import ClientGone
from socketio_cluster.manager.clients.client import PENDING
from socketio_cluster.manager.clients.rooms import LocalRooms
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.slot import replace
from socketio_cluster.manager.host.strict_packet import strict_packet_class

_METHODS: Final = (
    "_handle_connect",
    "_handle_disconnect",
    "_handle_eio_disconnect",
    "disconnect",
    "emit",
    "call",
    "shutdown",
)
"""The methods that are replaced. python-socketio looks them up on the instance, so no fork is needed.

``_handle_eio_message`` is not among them, because a replaced one is taken for the application's own.
"""


def install_fixes(host: Host, fixes: Any, read: Callable[..., Any]) -> None:
    """Install the fixes of a server.

    Args:
        host: the server.
        fixes: has a method for each name in ``_METHODS``, without the leading underscore.
        read: handles the messages of clients.
    """
    server = host.server
    server.packet_class = strict_packet_class(server.packet_class)
    pass_event_name(server)
    for name in _METHODS:
        replace(server, name, getattr(fixes, name.removeprefix("_")))
    host.connect.put("fixes", lambda _: fixes.handle_eio_connect)
    host.event.put("exits", fixes.contain)
    server.eio.on("message", read)
    server.eio.on("disconnect", fixes.handle_eio_disconnect)


def has_namespace(server: Any, namespace: str) -> bool:
    """Whether clients may join this namespace."""
    return (
        namespace in server.handlers
        or server.namespaces == "*"
        or namespace in server.namespace_handlers
        or namespace in server.namespaces
    )


def check_call(server: Any, to: str | None, namespace: str | None, timeout: float | None) -> None:
    """Raise ``RuntimeError`` for a ``call()`` that cannot work.

    Raises ``ValueError`` and ``TypeError`` for one to everybody, and for arguments that cannot be.
    """
    check_namespace(namespace)
    check_timeout(timeout)
    if to is None:
        raise ValueError("Cannot use call() to broadcast.")
    if not server.async_handlers:
        raise RuntimeError("Cannot use call() when async_handlers is False.")


def check_answerable(members: LocalRooms, eio_sid: str | None, to: str | None, namespace: str | None) -> None:
    """Raise ``RuntimeError`` if the connect handler of a client calls that client.

    ``eio_sid`` is the connection whose connect handler runs now, or None if none runs.
    """
    client = members.find(to, namespace or "/") if eio_sid is not None else None
    if client is not None and client.eio_sid == eio_sid and client.state is PENDING:
        raise RuntimeError(
            f"client {to} cannot answer before its connect handler has returned: call it from a task that the"
            " handler starts with start_background_task"
        )


def call_result(arguments: tuple[Any, ...] | None, to: str | None) -> Any:
    """Return the result of a ``call()`` for a client's arguments. Raises ``ClientGone`` if they are None."""
    if arguments is None:
        raise ClientGone(f"client {to} is not connected")
    return arguments if len(arguments) > 1 else arguments[0] if arguments else None


def pass_event_name(server: Any) -> None:
    """Pass the name of an event that is called ``*`` to the handler for all events.

    python-socketio 5.18 finds this handler by the name, as if it were made for this one event, and leaves the
    name out. The handler would take the client's sid for the name, and the client's data for the sid.

    The usual case, a handler for just this event, is looked up here first, because every event asks for it.
    """
    find = server._get_event_handler
    stock = getattr(find, "__func__", None) is BaseServer._get_event_handler

    def get_event_handler(event: str, namespace: str, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        if stock and event != "*" and (handlers := server.handlers.get(namespace)):
            handler = handlers.get(event)
            if handler is not None:
                return handler, args
        handler, given = find(event, namespace, args)
        return handler, (event, *given) if event == "*" else given

    server._get_event_handler = get_event_handler


def forget_connections(server: Any) -> None:
    """Forget the connections of an event loop that has ended."""
    server.eio.sockets.clear()
    server.environ.clear()
    server._binary_packet.clear()
    allow_service_task(server.eio)


def allow_service_task(eio: Any) -> None:
    """Let python-engineio start its service task again, with the next connection.

    It starts this task, which looks for dead connections, only once. And a second ``shutdown`` would wait for
    a task that does not exist any more.
    """
    if eio.service_task_event is not None:
        eio.service_task_event = eio.service_task_handle = None
        eio.start_service_task = True
