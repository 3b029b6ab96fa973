"""One connection of a test client: Socket.IO's packets on a WebSocket to the application."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any, Final, Protocol

from engineio import packet as engine_packet
from socketio import packet
from socketio.exceptions import ConnectionError as SocketIOConnectionError
from socketio.exceptions import ConnectionRefusedError as SocketIOConnectionRefusedError

from socketio_cluster.cluster.clients.client_sessions import ClientSessions
from socketio_cluster.cluster.testing.app_websocket import AppWebSocket, WebSocketRefused
from socketio_cluster.cluster.testing.virtual_node import VirtualNode

ANSWER_SECONDS: Final = 30.0
"""How long a connect handler may take."""


class Client(Protocol):
    """Whose connection it is."""

    def deliver(self, event: str, args: list[Any], number: int | None) -> None:
        """Take an event, and the number of the answer that the server waits for, if it waits."""

    def ended(self) -> None:
        """Note that the connection has ended."""


class Connection:
    """A connection to one node that has joined one namespace. ``open`` comes first.

    Args:
        node: the node.
        scope: the ASGI scope of the WebSocket.
        namespace: the namespace to join.
        sessions: what the client knows of its former connections.
        client: gets the events.
    """

    def __init__(
        self,
        node: VirtualNode,
        scope: dict[str, Any],
        namespace: str,
        sessions: ClientSessions,
        client: Client,
    ) -> None:
        self.sid = ""
        self.over = asyncio.Event()
        """Set when the connection has ended."""
        self._packet_class = node.packet_class
        self._path = scope["path"]
        self._namespace = namespace
        self._sessions = sessions
        self._client = client
        self._socket = AppWebSocket(node.app, scope, self)
        self._joined: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._opened = asyncio.Event()
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[list[Any]]] = {}
        self._incomplete: Any = None
        """The packet that waits for its attachments."""

    async def open(self, auth: dict[str, Any] | None) -> None:
        """Connect, and join the namespace.

        Raises ``socketio.exceptions.ConnectionRefusedError`` when the connect handler refuses, with its
        message and data, and ``socketio.exceptions.ConnectionError`` when nobody serves Socket.IO there.
        """
        try:
            await self._socket.open()
        except WebSocketRefused as error:
            raise SocketIOConnectionError(f"there is no Socket.IO at {self._path}: {error}") from None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._opened.wait()
                self._send(packet.CONNECT, auth)
                self.sid = await self._joined
        except BaseException as error:
            await self._socket.close()
            if isinstance(error, TimeoutError):
                text = f"the connect handler has not returned within {ANSWER_SECONDS:g} s"
                raise SocketIOConnectionError(text) from None
            raise

    def emit(self, event: str, args: tuple[Any, ...]) -> None:
        """Send an event."""
        self._send(packet.EVENT, [event, *args])

    async def call(self, event: str, args: tuple[Any, ...], seconds: float) -> list[Any]:
        """Send an event, and return the arguments of its answer.

        Raises ``TimeoutError``, and ``ConnectionError`` when the connection ends before.
        """
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._send(packet.EVENT, [event, *args], number)
        try:
            return await asyncio.wait_for(answer, seconds)
        finally:
            del self._answers[number]

    def answer(self, number: int, args: list[Any]) -> None:
        """Answer an event of the server."""
        self._send(packet.ACK, args, number)

    async def close(self) -> None:
        """Leave the namespace, and close the WebSocket."""
        if not self.over.is_set():
            self._send(packet.DISCONNECT)
        await self.cut()

    async def cut(self) -> None:
        """Close the WebSocket without a goodbye, as a client does whose network is lost."""
        await self._socket.close()

    def received(self, data: str | bytes) -> None:
        """Take a message of Engine.IO (protocol 4): a letter for its kind in front of a text, or bytes."""
        if isinstance(data, bytes):
            self._binary(data)
        elif data[0] == str(engine_packet.OPEN):
            self._opened.set()
        elif data[0] == str(engine_packet.PING):
            self._socket.send(str(engine_packet.PONG) + data[1:])
        elif data[0] == str(engine_packet.MESSAGE):
            self._packet(self._packet_class(encoded_packet=data[1:]))

    def closed(self) -> None:
        """Note the end of the WebSocket. All that wait for something are told."""
        self.over.set()
        self._opened.set()
        self._client.ended()
        for waiting in (self._joined, *self._answers.values()):
            if not waiting.done():
                waiting.set_exception(SocketIOConnectionError("the server has ended the connection"))
                waiting.exception()  # perhaps nobody waits any more

    def _send(self, kind: int, data: Any = None, number: int | None = None) -> None:
        sent = self._packet_class(packet_type=kind, data=data, namespace=self._namespace, id=number)
        self._sessions.sending("", sent)
        encoded = sent.encode()
        for part in encoded if isinstance(encoded, list) else [encoded]:
            self._socket.send(part if isinstance(part, bytes) else str(engine_packet.MESSAGE) + part)

    def _binary(self, data: bytes) -> None:
        if self._incomplete is None:  # the msgpack serializer
            self._packet(self._packet_class(encoded_packet=data))
        elif self._incomplete.add_attachment(data):
            complete, self._incomplete = self._incomplete, None
            self._handle(complete)

    def _packet(self, got: Any) -> None:
        if got.attachment_count:
            self._incomplete = got
        else:
            self._handle(got)

    def _handle(self, got: Any) -> None:
        match got.packet_type:
            case packet.CONNECT:
                self._sessions.answered(self._namespace, got.data)
                self._joined.set_result(got.data["sid"])
            case packet.CONNECT_ERROR if not self._joined.done():
                refusal = got.data if isinstance(got.data, dict) else {"message": str(got.data)}
                self._joined.set_exception(SocketIOConnectionRefusedError(*refusal.values()))
            case packet.DISCONNECT:
                self.closed()
            case packet.EVENT | packet.BINARY_EVENT:
                event, *args = self._sessions.take(self._namespace, got.id, got.data)
                self._client.deliver(event, args, got.id)
            case packet.ACK | packet.BINARY_ACK:
                waiting = self._answers.get(got.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(got.data)
