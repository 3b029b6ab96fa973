"""HTTP long polling to an Engine.IO server: one connection for the polls, one for what is sent."""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import socket
import time
from collections import deque
from contextlib import suppress
from http.cookies import SimpleCookie
from threading import Lock
from urllib.parse import urlsplit

from socketio_cluster.loadtest.address import Address
from socketio_cluster.loadtest.errors import Disconnected, NotSocketIO, Unreachable

IDLE = 2.0
"""Seconds until a connection is not used again: servers close idle ones, and no POST can be repeated."""


class Polling:
    """One session; whole messages as text or bytes, without the Engine.IO type for bytes."""

    def __init__(self, address: Address) -> None:
        """Open the session; raises Unreachable or NotSocketIO."""
        self.url = url = address.url
        timeout = address.timeout
        self._path = f"{urlsplit(url).path.rstrip('/')}/{address.path.strip('/')}/?{address.query}"
        self._headers = dict(address.headers)
        self._cookies: dict[str, str] = {}
        self._polls, self._posts = _Line(url, timeout), _Line(url, timeout)
        self._lock = Lock()
        self._messages: deque[str | bytes] = deque()
        try:
            self._poll(timeout)
        except Disconnected as error:
            raise NotSocketIO(f"{url} does not answer Engine.IO polling: {error}") from None
        except http.client.HTTPException as error:
            raise NotSocketIO(f"{url} does not answer in HTTP: {error or type(error).__name__}") from None
        except OSError as error:
            raise Unreachable(f"{url} cannot be reached: {error.strerror or error}") from None
        self._path += f"&sid={self._session()}"

    def _session(self) -> str:
        """The session's id, from the open packet."""
        try:
            first = self._messages[0]
            if isinstance(first, str) and first.startswith("0"):
                return str(json.loads(first[1:])["sid"])
        except (ValueError, LookupError, TypeError):
            pass
        raise NotSocketIO(f"{self.url} does not answer Engine.IO polling: no open packet came")

    def _poll(self, timeout: float) -> None:
        body = self._ask(self._polls, "GET", None, timeout)
        try:
            for packet in body.decode().split("\x1e"):
                self._messages.append(base64.b64decode(packet[1:]) if packet.startswith("b") else packet)
        except (UnicodeDecodeError, binascii.Error) as error:
            raise Disconnected(f"what came is no Engine.IO payload: {error}") from None

    def _ask(self, line: _Line, method: str, body: bytes | None, timeout: float) -> bytes:
        headers = dict(self._headers)
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if body is not None:
            headers["Content-Type"] = "text/plain;charset=UTF-8"
        status, received, answer = line.ask(method, self._path, body, headers, timeout)
        for cookie in received.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(cookie).items()}
        if status != 200:
            words = " ".join(answer[:60].decode(errors="replace").split())
            raise Disconnected(f"the server answered {method} with HTTP {status}: {words}")
        return answer

    def receive(self, timeout: float) -> str | bytes:
        """Wait for the next message; raises Disconnected, also when nothing came within the timeout."""
        while not self._messages:
            try:
                self._poll(timeout)
            except (OSError, http.client.HTTPException) as error:
                raise Disconnected(f"a poll failed: {error or type(error).__name__}") from None
        return self._messages.popleft()

    def send(self, message: str | bytes) -> None:
        """Send one message; raises Disconnected."""
        body = message.encode() if isinstance(message, str) else b"b" + base64.b64encode(message)
        try:
            with self._lock:
                self._ask(self._posts, "POST", body, 20)
        except (OSError, http.client.HTTPException) as error:
            raise Disconnected(f"a POST failed: {error or type(error).__name__}") from None

    def close(self) -> None:
        """End both connections at once."""
        self._polls.close()
        self._posts.close()


class _Line:
    """One HTTP connection, made anew when it has been idle."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._http = kind(parts.hostname or "", parts.port, timeout=timeout)
        self._used = 0.0
        self._asking = self._ended = False
        self._socket: socket.socket | None = None

    def ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        if time.monotonic() - self._used > IDLE:
            self._http.close()
        self._http.timeout = timeout
        if self._http.sock is not None:
            self._http.sock.settimeout(timeout)
        self._asking = True
        try:
            if self._http.sock is None:
                self._http.connect()
            if self._ended:  # meanwhile, by another greenlet
                raise ConnectionAbortedError("this client has ended the connection")
            self._http.request(method, path, body, headers)
            self._socket = self._http.sock  # http.client lets it go before the body of a last answer is read
            response = self._http.getresponse()
            answer = response.read()
        except BaseException:
            self._http.close()
            raise
        finally:
            self._asking = False
        self._used = time.monotonic()
        return response.status, response.headers, answer

    def close(self) -> None:
        """End the connection, for good. Who waits by it gets an error of ``http.client``, or OSError.

        One that is being made ends as soon as it is there.
        """
        self._ended = True
        if not self._asking:
            self._http.close()
        elif (connection := self._http.sock or self._socket) is not None:
            # Another greenlet reads the answer, whose file cannot be closed meanwhile. It closes all then.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
