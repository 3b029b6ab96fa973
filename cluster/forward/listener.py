"""The internal listener: other nodes, and nobody else, bring requests for sessions of this process to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.forward.forwarder import Forwarder
from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.cluster.forward.peer import HandOver, Peer
from socketio_cluster.cluster.sockets.sockets import BACKLOG


class Listener:
    """Listens on a Unix socket and, if asked to, on TCP.

    Args:
        find: returns the forwarder of a node of this process, None for another node.
        connections: the open connections of the process, to which those of other nodes are added.
        hand_over: takes a line with a client's WebSocket.
    """

    def __init__(
        self, find: Callable[[str], Forwarder | None], connections: set[Any], hand_over: HandOver
    ) -> None:
        self._find = find
        self._connections = connections
        self._hand_over = hand_over
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open_unix(self, path: Path) -> None:
        """Listen at a path, for this user alone; raise UsageError when the path cannot be used."""
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_unix_server(self._line, sock=_bind(path), backlog=BACKLOG))

    async def open_tcp(self, sock: socket.socket) -> None:
        """Listen on a TCP socket."""
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(self._line, sock=sock, backlog=BACKLOG))

    def stop_accepting(self) -> None:
        """Take no new connections; they are refused at once."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def close(self) -> None:
        """Close all connections, and return when their tasks have ended."""
        self.stop_accepting()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _line(self) -> NodeLine:
        return NodeLine(self._opened)

    def _opened(self, line: NodeLine) -> None:
        self._spawn(Peer(line, self._find, self._connections, self._hand_over).serve())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _bind(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # this worker's predecessor may have left it
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        sock.close()
        raise UsageError(f"cannot listen at {path}: {error}; TMPDIR can name a shorter folder") from None
    sock.setblocking(False)
    return sock
