"""Lets a worker accept several connections in one turn of its loop."""

from __future__ import annotations

import socket
from typing import Final

AT_ONCE: Final = 4
"""Connections that uvloop accepts in one turn from one socket. In a storm a turn for each would cost 15 µs a
connection; for one that comes alone, each further attempt costs half a microsecond."""


def several(sock: socket.socket) -> list[socket.socket]:
    """Return a listening socket as AT_ONCE sockets that share its queue.

    uvloop accepts one connection from each socket in a turn. While thousands come back at once, the queue in
    the kernel must not be full: what finds no place in it tries again after 1, 3 and 7 seconds.
    """
    # ``dup`` sets the mode of its original for all processes that share the socket. If it were the blocking
    # one, other workers would stand still in ``accept`` until the next client comes.
    sock.setblocking(False)
    return [sock, *(sock.dup() for _ in range(AT_ONCE - 1))]
