"""The ASGI application that plain WebSocket clients connect to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from socketio_cluster.cluster.plain.codec import Codec, JsonCodec
from socketio_cluster.cluster.plain.session import Receive, Session
from socketio_cluster.cluster.plain.socket import PlainSocket, send_to_plain_clients
from socketio_cluster.cluster.plain.writer import Send
from socketio_cluster.cluster.strict.answers import send_answer
from socketio_cluster.cluster.strict.gate import gate_of
from socketio_cluster.cluster.strict.request import choose_subprotocol
from socketio_cluster.manager.client_manager import ClusterManager

App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

SLOW: Final = ("close", "skip")


class PlainWebSockets:
    """Lets clients without a Socket.IO library in: ``PlainWebSockets(sio, socketio.ASGIApp(sio))``.

    Args:
        server: a ``socketio.AsyncServer`` with a ``ClusterManager``; its handlers are the clients'.
        other_app: the ASGI application for everything else.
        path: the path at which plain clients connect; None for every path, when this is mounted.
        namespace: the Socket.IO namespace that they join.
        codec: the format of messages; ``JsonCodec()`` unless given.
        auth: whether a client's first message is a connect event, whose data the connect handler gets.
        slow: how a client is treated that does not keep up. ``close`` disconnects it at the high mark.
            ``skip`` leaves events out until no more than the low mark waits, and then tells it how many it
            missed.
        high_water: bytes that may wait for one client; the manager's ``client_bytes`` unless given.
        low_water: bytes, a quarter of ``high_water`` unless given.

    Raises:
        TypeError: the server has another client manager.
        ValueError: a setting cannot work.
    """

    def __init__(
        self,
        server: Any,
        other_app: App | None = None,
        *,
        path: str | None = "/ws",
        namespace: str = "/",
        codec: Codec | None = None,
        auth: bool = False,
        slow: str = "close",
        high_water: int | None = None,
        low_water: int | None = None,
    ) -> None:
        manager = server.manager
        if not isinstance(manager, ClusterManager):
            kind = type(manager).__name__
            raise TypeError(f"plain clients need AsyncServer(client_manager=ClusterManager()), not {kind}")
        self.server = server
        self.manager = manager
        self.namespace = namespace
        self.codec: Codec = codec or JsonCodec()
        self.auth = auth
        self.skip = slow == "skip"
        self.high_water = manager.options.client_bytes if high_water is None else high_water
        self.low_water = self.high_water // 4 if low_water is None else low_water
        if slow not in SLOW:
            raise ValueError(f"slow must be one of {', '.join(SLOW)}, not {slow!r}")
        if not 0 <= self.low_water < self.high_water:
            raise ValueError(
                f"low_water must be below high_water: {self.low_water} is not below {self.high_water}"
            )
        if path is not None and not path.startswith("/"):
            raise ValueError(f"path must start with a slash: write {'/' + path!r}")
        self.path = None if path is None else path.rstrip("/")
        """The path at which plain clients connect, without a slash at its end; None for every path."""
        self.other: App = other_app or not_found
        send_to_plain_clients(manager.host)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve a request."""
        mine = scope["type"] != "lifespan" and self.path in (None, _path(scope))
        if mine and scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif mine:
            await not_a_websocket(scope, receive, send)
        else:
            await self.other(scope, receive, send)

    async def _websocket(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        send = choose_subprotocol(scope, send)
        host = self.manager.host
        gate = gate_of(host)
        refusal = None if gate is None else gate.turn_away()
        if refusal is not None:
            await send_answer(host, refusal, scope, receive, send)
            return
        environ = await host.environ_of(scope, send, receive)
        if not environ:
            return  # the client has left before the handshake
        if not host.same_origin(environ):
            await send({"type": "websocket.close"})  # it comes before the accept, so the answer is 403
            return
        await send({"type": "websocket.accept"})
        socket = PlainSocket(self, send)
        sockets = self.server.eio.sockets
        sockets[socket.sid] = socket
        try:
            await Session(self, socket, receive).serve(environ)
            await socket.writer.over()
        finally:
            socket.writer.task.cancel()
            sockets.pop(socket.sid, None)


def _path(scope: dict[str, Any]) -> str:
    """Return the path below the place where this application is mounted."""
    return str(scope["path"]).removeprefix(scope.get("root_path", "")).rstrip("/")


async def not_a_websocket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer an HTTP request at the path of the WebSocket."""
    await _text(send, 426, b"This address is a WebSocket: connect to it with ws:// or wss://\n")


async def not_found(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer 404 in the place of the other application, when none was given."""
    if scope["type"] == "http":
        await _text(send, 404, b"Not found\n")
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close"})
    else:
        raise NotImplementedError("no lifespan here")  # servers then start without one


async def _text(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    if status == 426:
        headers.append((b"upgrade", b"websocket"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
