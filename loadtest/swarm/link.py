"""One TCP connection of a swarm. It never blocks, and keeps what the server has not taken yet."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable

from socketio_cluster.loadtest.errors import Disconnected, LoadTestError, Unreachable
from socketio_cluster.loadtest.swarm.native import socket_class
from socketio_cluster.loadtest.swarm.tls import Tls

IN, OUT = 1, 4
"""EPOLLIN and EPOLLOUT: gevent takes the names out of the module ``select``."""
MOST_WAITING = 2**20
"""Bytes that may wait for a server that does not read; then the connection is given up."""
READ = 65536

Address = tuple[socket.AddressFamily, tuple[str, int]]


class Link:
    """A socket on its way to the server, or there.

    Args:
        address: the family and the address of the server.
        tls: for HTTPS, the context and the server's name.
        watch: asks for the events (IN, OUT, or both) of a file descriptor.
    """

    __slots__ = ("_connected", "_events", "_out", "_recv", "_sock", "_tls", "_watch", "fd", "feed", "lost")

    def __init__(
        self, address: Address, tls: tuple[ssl.SSLContext, str] | None, watch: Callable[[int, int], None]
    ) -> None:
        """Start to connect; raises OSError when that is refused at once."""
        family, where = address
        self._sock = socket_class()(family, socket.SOCK_STREAM)
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fd = self._sock.fileno()
        self.feed: Callable[[bytes], None] = _nobody
        self.lost: Callable[[LoadTestError], None] = _nobody
        self._recv = self._sock.recv
        self._out = bytearray()
        self._connected = False
        self._events = IN | OUT
        self._watch = watch
        self._tls = Tls(*tls) if tls else None
        code = self._sock.connect_ex(where)
        if code not in (0, errno.EINPROGRESS):
            self._sock.close()
            raise OSError(code, os.strerror(code))

    def read(self) -> None:
        """Take what has arrived."""
        try:
            chunk = self._recv(READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.lost(Disconnected(_words(error)))
            return
        if not chunk:
            self.lost(Disconnected("the server closed the connection"))
        elif self._tls is None:
            self.feed(chunk)
        else:
            self._read_tls(self._tls, chunk)

    def write(self, data: bytes) -> None:
        """Send, or keep for when there is room."""
        if self._tls is not None:
            data = self._tls.encrypt(data)
        self._send(data)

    def go_on(self) -> None:
        """Send what was kept. The socket is connected and has room."""
        if not self._connected:
            code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self.lost(Unreachable(os.strerror(code).lower()))
                return
            self._connected = True
            if self._tls is not None:
                self._out[:0] = self._tls.hello()
        data, self._out = bytes(self._out), bytearray()
        self._want(self._events & ~OUT)
        self._send(data)

    def pause(self) -> None:
        """Stop to read."""
        self._want(self._events & ~IN)

    def close(self) -> None:
        """End it at once."""
        self._watch = _unwatched
        self._sock.close()

    def _want(self, events: int) -> None:
        if events != self._events:
            self._events = events
            self._watch(self.fd, events)

    def _send(self, data: bytes) -> None:
        if not data:
            return
        if self._connected and not self._out:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self.lost(Disconnected(_words(error)))
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._want(self._events | OUT)
        self._out += data
        if len(self._out) > MOST_WAITING:
            self.lost(Disconnected("the server does not read"))

    def _read_tls(self, tls: Tls, chunk: bytes) -> None:
        try:
            plain, answer = tls.decrypt(chunk)
        except ssl.SSLError as error:
            self.lost(Unreachable(f"TLS: {error.reason or error}"))
            return
        self._send(answer)
        if plain:
            self.feed(plain)


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _nobody(what: object) -> None:
    """Tell nobody."""


def _unwatched(fd: int, events: int) -> None:
    """A closed file descriptor has no events."""
