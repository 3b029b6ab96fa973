"""Which handler an event has, when a client has named it ``*``: the name of the handler for all others."""

from __future__ import annotations

from typing import Any

from socketio.base_server import BaseServer


def tell_name(server: Any) -> None:
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
