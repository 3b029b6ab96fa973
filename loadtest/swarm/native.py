"""The operating system's own sockets and epoll, also where gevent has put its own in their place.

A swarm waits for thousands of sockets at once; gevent's sockets would wait for each in a greenlet.
"""

from __future__ import annotations

import select
import socket
import sys
from typing import Any

from socketio_cluster.loadtest.errors import LoadTestError


class Unsupported(LoadTestError):
    """The system has no epoll; the text says what to do."""


def socket_class() -> type[socket.socket]:
    """The socket of the standard library."""
    found: type[socket.socket] = _original("socket", "socket") or socket.socket
    return found


def epoll() -> Any:
    """A new epoll; raises Unsupported where there is none."""
    make = _original("select", "epoll") or getattr(select, "epoll", None)
    if make is None:
        raise Unsupported(f"a swarm needs Linux, this is {sys.platform}: run the scenario without --swarm")
    return make()


def _original(module: str, name: str) -> Any:
    if "gevent.monkey" not in sys.modules:
        return None
    from gevent import monkey

    try:
        return monkey.get_original(module, name)
    except AttributeError:
        return None
