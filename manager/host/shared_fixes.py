"""What the guards of an asyncio server and of a threaded one have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from socketio.base_server import BaseServer

from socketio_cluster.manager.clients.rooms import PENDING, LocalRooms
from socketio_cluster.manager.errors import ClientGone
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
"""Looked up on the instance by python-socketio itself, so no fork is needed to replace them.

Not ``_handle_eio_message`` too: that would say that the application has replaced it.
"""


def install_fixes(host: Host, guards: Any, read: Callable[..., Any]) -> None:
    """Let a server have the methods of its guards, and ``read`` what its clients say."""
    server = host.server
    server.packet_class = strict_packet_class(server.packet_class)
    pass_event_name(server)
    for name in _METHODS:
        replace(server, name, getattr(guards, name.removeprefix("_")))
    host.connect.put("fixes", lambda _: guards.handle_eio_connect)
    host.event.put("exits", guards.contain)
    server.eio.on("message", read)
    server.eio.on("disconnect", guards.handle_eio_disconnect)


def has_namespace(server: Any, namespace: str) -> bool:
    """Whether clients may join this namespace."""
    return (
        namespace in server.handlers
        or server.namespaces == "*"
        or namespace in server.namespace_handlers
        or namespace in server.namespaces
    )


def check_call(server: Any, to: str | None) -> None:
    """Raise what ``call()`` raises when there is nobody, or no way, to answer it."""
    if to is None:
        raise ValueError("Cannot use call() to broadcast.")
    if not server.async_handlers:
        raise RuntimeError("Cannot use call() when async_handlers is False.")


def check_answerable(members: LocalRooms, eio_sid: str | None, to: str | None, namespace: str | None) -> None:
    """Raise ``RuntimeError`` when the connect handler of a client calls that client.

    ``eio_sid`` is the connection whose connect handler this is, None outside of one.
    """
    client = members.find(to, namespace or "/") if eio_sid is not None else None
    if client is not None and client.eio_sid == eio_sid and client.state is PENDING:
        raise RuntimeError(
            f"client {to} cannot answer before its connect handler has returned: call it from a task that the"
            " handler starts with start_background_task"
        )


def call_result(arguments: tuple[Any, ...] | None, to: str | None) -> Any:
    """What ``call()`` returns for a client's arguments; raises ``ClientGone`` when there is no client."""
    if arguments is None:
        raise ClientGone(f"client {to} is not connected")
    return arguments if len(arguments) > 1 else arguments[0] if arguments else None


def pass_event_name(server: Any) -> None:
    """Make the handlers of ``*`` get the name of such an event too.

    python-socketio 5.18 finds them by that name, as if they were made for this one event, and leaves the name
    out: the handler would take the client's sid for the name, and what the client sent for the sid.

    The usual case, a handler for just this event, is looked up here: it is asked for at every event.
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
    """Forget the connections of a loop that has ended."""
    server.eio.sockets.clear()
    server.environ.clear()
    server._binary_packet.clear()
    allow_service_task(server.eio)


def allow_service_task(eio: Any) -> None:
    """Let python-engineio start its watch over the connections again, with the next connection.

    It starts it once, and at a second ``shutdown`` it waits for a task that it has no more.
    """
    if eio.service_task_event is not None:
        eio.service_task_event = eio.service_task_handle = None
        eio.start_service_task = True
