"""The host: a python-socketio server and its Engine.IO server, with public names for what the cluster needs.

No file outside this folder names anything private of python-socketio or python-engineio. What a release of
theirs must have is listed in ``tests/host/test_privates.py``, which compares the list with what is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from socketio import AsyncServer

from socketio_cluster.manager.host.connection import Connection, connection_of
from socketio_cluster.manager.host.session import CloseFrame, hang_up
from socketio_cluster.manager.host.slot import Slot, open_slot, replace


class Host:
    """One server. Everything that stands before its functions is a layer in one of its slots.

    Args:
        server: python-socketio's, for asyncio or for threads.
    """

    def __init__(self, server: Any) -> None:
        self.server = server
        self.engine = server.eio
        self.layers: dict[str, Any] = {}
        """What each layer has left for others to find, by the layer's name."""
        self.request = open_slot(server, "handle_request")
        """``(scope, receive, send)``: every HTTP request and WebSocket of ASGI."""
        self.engine_request = open_slot(server.eio, "handle_request")
        """The same, when it is for a session of this process."""
        self.connect = open_slot(server, "_handle_eio_connect")
        """``(eio_sid, environ)``: a new connection, before it joins a namespace."""
        self.event = open_slot(server, "_trigger_event")
        """``(event, namespace, *args)``: runs a handler of the application."""
        self.packet = open_slot(server, "_send_packet")
        """``(eio_sid, packet)``: a Socket.IO packet for one connection."""
        self.poll_answer = open_slot(server.eio, "_ok")
        """``(packets, headers, jsonp_index)``: makes the answer to a poll."""
        self.background_task = open_slot(server.eio, "start_background_task")
        """``(target, *args)``: starts a task, or a thread."""
        server.eio.on("connect", self.connect.entry)
        self._drivers: dict[str, Slot] = {}
        self._close_frames: WeakKeyDictionary[Any, CloseFrame] = WeakKeyDictionary()

    def driver(self, name: str) -> Slot:
        """A function of the Engine.IO driver: ``websocket`` or ``translate_request``.

        The driver's table is shared by all servers of a process, so this server gets a copy.
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
        """The packets that wait for attachments, by their connection's sid."""
        return self.server._binary_packet  # type: ignore[no-any-return]

    def find_handler(self, event: str, namespace: str, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """The function that handles an event, or None, and what it is called with."""
        return self.server._get_event_handler(event, namespace, args)  # type: ignore[no-any-return]

    def handles(self, event: str, namespace: str, args: tuple[Any, ...]) -> bool:
        """Whether a function or a class namespace is there for an event."""
        if self.find_handler(event, namespace, args)[0] is not None:
            return True
        return self.server._get_namespace_handler(namespace, args)[0] is not None

    def handle_connect(self, eio_sid: str, namespace: str | None, auth: Any) -> Any:
        """Connect a client to a namespace: runs the connect handler."""
        return self.server._handle_connect(eio_sid, namespace, auth)

    def handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str) -> Any:
        """Take a client out of a namespace: runs the disconnect handler."""
        return self.server._handle_disconnect(eio_sid, namespace, reason)

    def handle_event(self, eio_sid: str, namespace: str | None, ack_id: int | None, data: list[Any]) -> Any:
        """Handle an event of a client, in a task or thread of its own where the server is set so."""
        return self.server._handle_event(eio_sid, namespace, ack_id, data)

    def handle_event_now(
        self, sid: str, eio_sid: str, data: list[Any], namespace: str, ack_id: int | None
    ) -> Any:
        """Run the handler of an event, and send the ack."""
        return self.server._handle_event_internal(self.server, sid, eio_sid, data, namespace, ack_id)

    def handle_ack(self, eio_sid: str, namespace: str | None, ack_id: int | None, data: list[Any]) -> Any:
        """Call the callback that waits for a client's answer."""
        return self.server._handle_ack(eio_sid, namespace, ack_id, data)

    @property
    def event_is_ours(self) -> bool:
        """Whether nobody, such as the admin UI, has put a function of their own before ``event``."""
        return self.server._trigger_event is self.event.entry

    def trigger(self, event: str, namespace: str, *args: Any) -> Any:
        """Run a handler, by way of all that others have put before ``event``."""
        return self.server._trigger_event(event, namespace, *args)

    @property
    def triggers_plainly(self) -> bool:
        """Whether the server runs handlers as python-socketio's class does, without middlewares."""
        return getattr(self.event.own, "__func__", None) is AsyncServer._trigger_event

    def handles_events_as(self, *kinds: type) -> bool:
        """Whether an event comes to its handler as in one of these classes, or in python-socketio's."""
        kind, own = type(self.server), vars(self.server)
        return all(
            name not in own and getattr(kind, name) in [getattr(one, name) for one in (AsyncServer, *kinds)]
            for name in ("_handle_eio_message", "_handle_event", "_handle_event_internal", "_handle_ack")
        )

    def connection(self, eio_sid: str) -> Connection | None:
        """What is known of a connection; None when it has ended."""
        return connection_of(self.server, eio_sid)

    # Engine.IO

    def use_queue(self, make: Callable[[], Any]) -> None:
        """Let each new connection have a queue that ``make`` returns."""
        replace(self.engine, "create_queue", make)

    def use_ids(self, make: Callable[[], str]) -> None:
        """Let each new connection have an id that ``make`` returns."""
        replace(self.engine, "generate_id", make)

    def use_bad_request(self, answer: Callable[..., dict[str, Any]]) -> None:
        """Let ``answer(message)`` make the answer to a request that python-engineio refuses."""
        replace(self.engine, "_bad_request", answer)

    def without_service_task(self) -> None:
        """Start no task that looks for connections without a pong: somebody else does."""
        replace(self.engine, "start_service_task", False)

    async def close_with(self, socket: Any, code: int, text: str, reason: str) -> None:
        """End a session; a WebSocket is closed with a code and a text.

        Args:
            socket: python-engineio's socket.
            code: the close code of RFC 6455.
            text: for people, at most 123 bytes.
            reason: what the disconnect handlers are told.
        """
        self._close_frames[socket] = CloseFrame(code, text)
        await hang_up(socket, reason)

    def close_frame(self, socket: Any) -> CloseFrame | None:
        """What ``close_with`` was told about this session."""
        return self._close_frames.get(socket)

    def end_of_session(self, eio_sid: str, reason: str) -> Any:
        """Run what follows the end of a connection: the disconnect handlers of its clients."""
        return self.engine._trigger_event("disconnect", eio_sid, reason, run_async=False)

    async def environ_of(self, scope: dict[str, Any], send: Any, receive: Any = None) -> dict[str, Any]:
        """python-engineio's view of an ASGI request; without ``receive`` it has no body."""
        translate = self.engine._async["translate_request"]
        return await translate(scope, receive or _no_body, send)  # type: ignore[no-any-return]

    async def respond(self, response: dict[str, Any], environ: dict[str, Any]) -> None:
        """Send an answer: ``status``, ``headers`` and ``response`` (bytes), with CORS headers."""
        await self.engine._make_response(response, environ)

    def cors_headers(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        """The CORS headers of an answer."""
        return self.engine._cors_headers(environ)  # type: ignore[no-any-return]

    def same_origin(self, environ: dict[str, Any]) -> bool:
        """Whether a request comes from a page that may use this server, by ``cors_allowed_origins``."""
        origin = environ.get("HTTP_ORIGIN")
        if not origin or self.engine.cors_allowed_origins == []:
            return True
        allowed = self.engine._cors_allowed_origins(environ)
        return allowed is None or origin in allowed


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
