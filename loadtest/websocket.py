"""A WebSocket to an Engine.IO server, on the sans-I/O protocol of the websockets library."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Mapping
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from socketio_cluster.loadtest.address import Address
from socketio_cluster.loadtest.errors import Disconnected, NotSocketIO, Unreachable

CHUNK = 65536


class WebSocket:
    """One connection; whole messages as text or bytes, without the Engine.IO type for bytes."""

    def __init__(self, address: Address) -> None:
        """Connect; raises Unreachable or NotSocketIO."""
        self.url = url = address.url
        where = url.rstrip("/").replace("http", "ws", 1) + f"/{address.path.strip('/')}/?{address.query}"
        self._protocol = ClientProtocol(parse_uri(where), max_size=None)
        self._messages: deque[str | bytes] = deque()
        self._parts: list[Frame] = []
        self._socket = _dial(url, address.timeout)
        try:
            self._shake_hands(address.headers)
        except (OSError, WebSocketException, EOFError) as error:
            self._socket.close()
            raise NotSocketIO(f"{url} accepts no WebSocket: {error or type(error).__name__}") from error
        except NotSocketIO:
            self._socket.close()
            raise

    def _shake_hands(self, headers: Mapping[str, str]) -> None:
        request = self._protocol.connect()
        for name, value in headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()
        while self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None:
            self._read()
        if isinstance(error := self._protocol.handshake_exc, InvalidHandshake):
            raise NotSocketIO(f"{self.url} accepts no WebSocket: {error}")
        if error is not None:
            raise EOFError(str(error))

    def _read(self) -> None:
        data = self._socket.recv(CHUNK)
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if not isinstance(event, Response):
                assert isinstance(event, Frame)
                self._take(event)
        self._flush()
        if not data or self._protocol.state is not State.OPEN:
            if self._protocol.state is State.CONNECTING:
                return
            raise Disconnected("the server closed the WebSocket")

    def _take(self, frame: Frame) -> None:
        """Put the parts of a message together; control frames are the protocol's own affair."""
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        self._parts.append(frame)
        if frame.fin:
            data = b"".join(part.data for part in self._parts)
            self._messages.append(data.decode() if self._parts[0].opcode is Opcode.TEXT else data)
            self._parts = []

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)

    def receive(self, timeout: float) -> str | bytes:
        """Wait for the next message; raises Disconnected, also when nothing came within the timeout."""
        try:
            while not self._messages:
                self._socket.settimeout(timeout)
                self._read()
        except TimeoutError:
            raise Disconnected("the server was silent for longer than its ping timeout") from None
        except OSError as error:
            raise Disconnected(f"the connection broke: {error}") from None
        return self._messages.popleft()

    def send(self, message: str | bytes) -> None:
        """Send one message; raises Disconnected."""
        try:
            if isinstance(message, str):
                self._protocol.send_text(message.encode())
            else:
                self._protocol.send_binary(message)
            self._flush()
        except (OSError, WebSocketException) as error:
            raise Disconnected(f"the connection broke: {error}") from None

    def close(self) -> None:
        """End the connection at once."""
        self._socket.close()


def _dial(url: str, timeout: float) -> socket.socket:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        sock = socket.create_connection((host, port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "https":
            return ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    except OSError as error:
        raise Unreachable(f"{url} cannot be reached: {error.strerror or error}") from None
    return sock
