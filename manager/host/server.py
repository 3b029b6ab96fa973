"""The host: a python-socketio server and its Engine.IO server, with public names for what the cluster needs.

No file outside this folder uses a private name of python-socketio or python-engineio. All private names that
are used are listed in ``tests/host/test_privates.py``, which compares the list with the installed releases.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from socketio import AsyncServer, packet
from socketio.base_server import BaseServer

from socketio_cluster.manager.host.connection import Connection, connection_of, is_free
from socketio_cluster.manager.host.session import CloseFrame, hang_up
from socketio_cluster.manager.host.slot import Slot, open_slot, replace


class Host:
    """One server and its slots. All code that runs before a function of the server is a layer in a slot.

    Args:
        server: python-socketio's server, for asyncio or for threads.
    """

    def __init__(self, server: Any) -> None:
        self.server = server
        self.engine = server.eio
        self.layers: dict[str, Any] = {}
        """An object of each layer that other code may look up, by the layer's name."""
        self.request = open_slot(server, "handle_request")
        """``(scope, receive, send)``: every HTTP request and WebSocket of ASGI."""
        self.engine_request = open_slot(server.eio, "handle_request")
        """``(scope, receive, send)``: a request for a session of this process."""
        self.connect = open_slot(server, "_handle_eio_connect")
        """``(eio_sid, environ)``: a new connection, before it joins a namespace."""
        self.event = open_slot(server, "_trigger_event")
        """``(event, namespace, *args)``: runs a handler of the application."""
        self.packet = open_slot(server, "_send_packet")
        """``(eio_sid, packet)``: a Socket.IO packet for one connection."""
        self.poll_answer = open_slot(server.eio, "_ok")
        """``(packets, headers, jsonp_index)``: returns the answer to a poll."""
        self.background_task = open_slot(server.eio, "start_background_task")
        """``(target, *args)``: starts a task, or a thread."""
        server.eio.on("connect", self.connect.entry)
        self._drivers: dict[str, Slot] = {}
        self._close_frames: WeakKeyDictionary[Any, CloseFrame] = WeakKeyDictionary()

    def driver(self, name: str) -> Slot:
        """Return the slot of a function of the Engine.IO driver: ``websocket`` or ``translate_request``.

        All servers of a process share the driver's table, so this server gets a copy of it.
        """
        if name not in self._drivers:
            table = self.engine._async
            self._drivers[name] = Slot(table[name])
            self.engine._async = {**table, name: self._drivers[name].entry}
        return self._drivers[name]

    @property
    def asgi(self) -> bool:
        """Whether this process serves this server's requests through ASGI."""
        return bool(self.engine.async_mode == "asgi")

    # Socket.IO

    @property
    def half_read(self) -> dict[str, Any]:
        """The packets that wait for attachments, by the sid of their connection."""
        return self.server._binary_packet  # type: ignore[no-any-return]

    def find_handler(self, event: str, namespace: str, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Return the function that handles an event, or None, and the arguments for it."""
        return self.server._get_event_handler(event, namespace, args)  # type: ignore[no-any-return]

    def handles(self, event: str, namespace: str, args: tuple[Any, ...]) -> bool:
        """Whether a handler function or a class-based namespace exists for an event."""
        if self.find_handler(event, namespace, args)[0] is not None:
            return True
        return self.server._get_namespace_handler(namespace, args)[0] is not None

    def handle_connect(self, eio_sid: str, namespace: str | None, auth: Any) -> Any:
        """Connect a client to a namespace. This runs the connect handler."""
        return self.server._handle_connect(eio_sid, namespace, auth)

    def handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str) -> Any:
        """Take a client out of a namespace. This runs the disconnect handler."""
        return self.server._handle_disconnect(eio_sid, namespace, reason)

    def refuse(self, eio_sid: str, namespace: str, message: str) -> Any:
        """Tell a client that it may not join a namespace. A server for asyncio returns an awaitable."""
        refusal = self.server.packet_class(
            packet.CONNECT_ERROR, data={"message": message}, namespace=namespace
        )
        return self.packet(eio_sid, refusal)

    def handle_event(self, eio_sid: str, namespace: str | None, ack_id: int | None, data: list[Any]) -> Any:
        """Handle an event of a client, in its own task or thread if the server has ``async_handlers`` set."""
        return self.server._handle_event(eio_sid, namespace, ack_id, data)

    def handle_event_now(
        self, sid: str, eio_sid: str, data: list[Any], namespace: str, ack_id: int | None
    ) -> Any:
        """Run the handler of an event here, and send the ack."""
        return self.server._handle_event_internal(self.server, sid, eio_sid, data, namespace, ack_id)

    def handle_ack(self, eio_sid: str, namespace: str | None, ack_id: int | None, data: list[Any]) -> Any:
        """Call the callback that waits for this answer of a client."""
        return self.server._handle_ack(eio_sid, namespace, ack_id, data)

    @property
    def event_is_ours(self) -> bool:
        """Whether no other code, such as the admin UI, has put a function of its own before ``event``."""
        return self.server._trigger_event is self.event.entry

    def trigger(self, event: str, namespace: str, *args: Any) -> Any:
        """Run a handler, after all functions that other code has put before ``event``."""
        return self.server._trigger_event(event, namespace, *args)

    @property
    def triggers_plainly(self) -> bool:
        """Whether the server finds and runs handlers in the way of python-socketio's class."""
        plain = type(self.server)._get_event_handler is BaseServer._get_event_handler
        return plain and getattr(self.event.own, "__func__", None) is AsyncServer._trigger_event

    def plain_handlers(self) -> dict[str, Any]:
        """Return what a function in C needs to do as ``plain_handler``."""
        names = {"trigger_name": "_trigger_event", "handlers_name": "handlers"}
        return {"server": self.server, "entry": self.event.entry, **names}

    def plain_handler(self, event: str, namespace: str) -> Any:
        """Return the function that is registered for just this event, if a call of it is all there is to do.

        None when there is none, or other code stands before ``event``. Only for a server that
        ``triggers_plainly``.
        """
        handlers = self.server.handlers.get(namespace)
        if not handlers or event == "*" or self.server._trigger_event is not self.event.entry:
            return None
        return handlers.get(event)

    def handles_events_as(self, *kinds: type) -> bool:
        """Whether the server brings events to handlers in the way of these classes or python-socketio's."""
        kind, own = type(self.server), vars(self.server)
        return all(
            name not in own and getattr(kind, name) in [getattr(one, name) for one in (AsyncServer, *kinds)]
            for name in ("_handle_eio_message", "_handle_event", "_handle_event_internal", "_handle_ack")
        )

    def connection(self, eio_sid: str) -> Connection | None:
        """What is known of a connection; None when it has ended."""
        return connection_of(self.server, eio_sid)

    def is_free(self, eio_sid: str) -> bool:
        """Whether a connection would take an event at once."""
        return is_free(self.server, eio_sid)

    # Engine.IO

    def use_queue(self, make: Callable[[], Any]) -> None:
        """Let ``make`` return the queue of each new connection."""
        replace(self.engine, "create_queue", make)

    def use_ids(self, make: Callable[[], str]) -> None:
        """Let ``make`` return the sid of each new connection."""
        replace(self.engine, "generate_id", make)

    def use_bad_request(self, answer: Callable[..., dict[str, Any]]) -> None:
        """Let ``answer(message)`` return the answer to a request that python-engineio refuses."""
        replace(self.engine, "_bad_request", answer)

    def without_service_task(self) -> None:
        """Do not start the task that looks for connections without a pong, because other code does that."""
        replace(self.engine, "start_service_task", False)

    async def close_with(self, socket: Any, code: int, text: str, reason: str) -> None:
        """End a session. A WebSocket is closed with a code and a text.

        Args:
            socket: python-engineio's socket.
            code: the close code of RFC 6455.
            text: a text for people, at most 123 bytes long.
            reason: the text that the disconnect handlers get.
        """
        self._close_frames[socket] = CloseFrame(code, text)
        await hang_up(socket, reason)

    def close_frame(self, socket: Any) -> CloseFrame | None:
        """Return the code and the text that ``close_with`` got for this session, or None."""
        return self._close_frames.get(socket)

    def end_of_session(self, eio_sid: str, reason: str) -> Any:
        """End the clients of a connection that has ended. This runs their disconnect handlers."""
        return self.engine._trigger_event("disconnect", eio_sid, reason, run_async=False)

    async def environ_of(self, scope: dict[str, Any], send: Any, receive: Any = None) -> dict[str, Any]:
        """Return python-engineio's environ for an ASGI request. Without ``receive`` it has no body."""
        translate = self.engine._async["translate_request"]
        return await translate(scope, receive or _no_body, send)  # type: ignore[no-any-return]

    async def respond(self, response: dict[str, Any], environ: dict[str, Any]) -> None:
        """Send an answer, a dict of ``status``, ``headers`` and ``response`` (bytes), with CORS headers."""
        await self.engine._make_response(response, environ)

    def cors_headers(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the CORS headers of an answer."""
        return self.engine._cors_headers(environ)  # type: ignore[no-any-return]

    def same_origin(self, environ: dict[str, Any]) -> bool:
        """Whether ``cors_allowed_origins`` allows the page that sent a request."""
        origin = environ.get("HTTP_ORIGIN")
        if not origin or self.engine.cors_allowed_origins == []:
            return True
        allowed = self.engine._cors_allowed_origins(environ)
        return allowed is None or origin in allowed


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
