"""The listening sockets: the supervisor binds them once, and its workers inherit them."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.sockets.port_holders import Holder, port_holders

log = logging.getLogger("socketio_cluster.cluster")

WORKER: Final = ("-m", "socketio_cluster", "worker")
"""The arguments of Python that make a process a worker."""
RETRY_SECONDS: Final = 0.1
"""Seconds between attempts to listen on a port that is about to become free."""
UNSEEN_TRIES: Final = 20
"""Attempts to listen on a port that no process is seen to hold.

A process that ends stops showing its sockets up to tenths of a second before it closes them.
"""

BACKLOG: Final = 65535
"""Connections that may wait to be accepted; the kernel allows net.core.somaxconn at most, by default 4096. A
worker may get the clients of a whole machine at once, and each that finds no place tries again after 1 s."""


class Taken(UsageError):
    """Another program listens there; `holders` are its processes, as far as this user can see them."""

    def __init__(self, place: str, holders: Sequence[Holder]) -> None:
        others = [holder for holder in holders if holder.command[1:4] != WORKER]
        who = next(iter(others or holders), "another program")
        super().__init__(f"{place} is taken by {who}: choose another one")
        self.place = place
        self.holders = holders
        self.by_orphans = bool(holders) and not others
        """Whether only workers hold it. Then their supervisor, which would hold it too, is gone, and they
        stop."""


def listen(host: str, port: int, *, together: bool = False, option: str = "--host") -> socket.socket:
    """Listen on an address (port 0: any free one).

    Sockets that listen `together` share the address, and the kernel spreads new connections over them. Raises
    Taken, or UsageError with the fault of the address, which the user has given by `option`.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise UsageError(f"{option} {host}: {error.strerror}") from None
    except UnicodeError:  # a part of it is empty or too long
        raise UsageError(f"{option} {host} is no name of a host") from None
    sock = socket.socket(family, kind, proto)
    try:
        # It is set for shared sockets too. Connections inherit it, and while one of an earlier run without it
        # is in FIN_WAIT or TIME_WAIT, nobody else gets the port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if together:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise Taken(f"port {port} on {host}", port_holders(family, str(address[0]), port)) from None
        raise UsageError(_explain(error, host, port)) from None
    sock.setblocking(False)
    return sock


def listen_after_orphans(host: str, port: int, *, option: str = "--host") -> socket.socket:
    """Listen alone on an address, as `listen` and `after_orphans` do."""
    return after_orphans(lambda: listen(host, port, option=option))


def after_orphans(open_socket: Callable[[], socket.socket]) -> socket.socket:
    """Return the socket that a function opens, which may raise Taken.

    Block while workers of a killed supervisor still hold the address, and for two seconds while nobody is
    seen to hold it.
    """
    told, unseen = False, 0
    while True:
        try:
            return open_socket()
        except Taken as taken:
            unseen = 0 if taken.holders else unseen + 1
            if unseen == UNSEEN_TRIES or (taken.holders and not taken.by_orphans):
                raise
            if taken.by_orphans and not told:
                pids = ", ".join(str(holder.pid) for holder in taken.holders)
                log.warning(
                    "workers of a killed supervisor stop, and hold %s: %s; waiting", taken.place, pids
                )
                told = True
        time.sleep(RETRY_SECONDS)


def listen_shared(host: str, port: int, workers: int) -> list[socket.socket]:
    """Return the sockets of one address, one for each worker; block as `listen_after_orphans` does.

    On Linux they are different sockets. With a single one an idle machine wakes the same worker again and
    again (of 120 connections three workers got 64, 52 and 4), and WebSockets stay where they begin. The
    supervisor keeps all sockets open, so connections that wait for a dead worker are served by its successor.
    """
    # It listens alone first, to find out whether the port is taken: sharing would hide that.
    alone = listen_after_orphans(host, port)
    if sys.platform != "linux":
        return [alone] * workers
    port = alone.getsockname()[1]
    alone.close()
    return [listen(host, port, together=True) for _ in range(workers)]


def url_of(sock: socket.socket, scheme: str = "http") -> str:
    """Return the address in the form that a browser takes, for example `http://127.0.0.1:8000`.

    A Unix socket has none; it is shown as `unix:/run/app.sock`.
    """
    if sock.family == socket.AF_UNIX:
        return f"unix:{sock.getsockname()}"
    host, port = sock.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs more rights than this user has: choose one above 1023"
    return f"cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}"
