"""The listening sockets: bound once by the supervisor, inherited by its workers."""

from __future__ import annotations

import errno
import os
import socket
import sys

from cluster.errors import UsageError

# What waits to be accepted while all workers are busy; the kernel caps it at net.core.somaxconn.
BACKLOG = 2048


def listen(host: str, port: int, *, together: bool = False, option: str = "--host") -> socket.socket:
    """Listen on an address (port 0: any free one); UsageError says what is wrong with it, and what `option`.

    Sockets that listen `together` share the address: the kernel deals new connections out among them.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise UsageError(f"{option} {host}: {error.strerror}") from None
    sock = socket.socket(family, kind, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT if together else socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise UsageError(_explain(error, host, port)) from None
    sock.setblocking(False)
    return sock


def listen_shared(host: str, port: int, workers: int) -> list[socket.socket]:
    """The sockets of one address that all workers serve, one for each worker.

    On Linux they are different ones: from a single socket an idle machine wakes the same worker again and
    again (of 120 connections three workers got 64, 52 and 4), and WebSockets stay where they begin. The
    supervisor holds them all open, so what waits for a dead worker is served by the next one.
    """
    alone = listen(host, port)  # also finds out whether the port is taken, which sharing would hide
    if sys.platform != "linux":
        return [alone] * workers
    port = alone.getsockname()[1]
    alone.close()
    return [listen(host, port, together=True) for _ in range(workers)]


def url_of(sock: socket.socket) -> str:
    """The address in the form a browser takes, for example `http://127.0.0.1:8000`."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by another program: choose another port"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs more rights than this user has: choose one above 1023"
    return f"cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}"
