"""Listening without a port: on a Unix socket, or on a socket that another program has opened."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Final

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.sockets.port_holders import path_holders
from socketio_cluster.cluster.sockets.sockets import BACKLOG, Taken

MODE: Final = 0o666
"""Everybody who can enter the folder may connect, as with uvicorn: a proxy is often another user."""
CONNECT_SECONDS: Final = 1.0
"""Seconds after which a socket that does not answer counts as one that somebody serves."""


def listen_at(path: Path) -> socket.socket:
    """Listen on a Unix socket. The file of a program that has ended is replaced.

    Raises Taken while a program listens there, and UsageError for a path that cannot be used.
    """
    path = path.absolute()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            if _is_served(path):
                raise Taken(str(path), path_holders(str(path)))
            path.unlink(missing_ok=True)
        sock.bind(str(path))
        path.chmod(MODE)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        reason = f"{path} is no socket" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise UsageError(f"--uds {path}: {reason}") from None
    except Taken:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def inherit(number: int) -> socket.socket:
    """Return a copy of a stream socket that this process was started with; raise UsageError for another file.

    It is a copy, because workers get other files for 0, 1 and 2.
    """
    try:
        sock = socket.socket(fileno=os.dup(number))
    except OSError as error:
        raise UsageError(f"--fd {number} is no socket that this process was started with: {error}") from None
    if sock.type != socket.SOCK_STREAM or not _has_address(sock):
        sock.close()
        raise UsageError(f"--fd {number} is no socket that can accept connections")
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_SECONDS)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except TimeoutError:
            return True
    return True


def _has_address(sock: socket.socket) -> bool:
    """Return whether a socket is bound and connected to nobody."""
    try:
        sock.getpeername()
    except OSError:
        return bool(sock.getsockname())
    return False
