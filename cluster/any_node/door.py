"""The door of a process under a server that is not ours: a listener at which other nodes reach it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from socketio_cluster.cluster.any_node.connections import Connections
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.forward.forwarder import Forwarder
from socketio_cluster.cluster.forward.listener import Listener
from socketio_cluster.cluster.forward.peer import HandOver
from socketio_cluster.cluster.internal import EVERYWHERE, Internal
from socketio_cluster.cluster.sockets.sockets import listen
from socketio_cluster.manager.client_manager import ClusterManager

INTRODUCTION: Final = 3.0
"""Seconds that a node that has just joined waits until it knows the others: a heartbeat and one second."""
END_SECONDS: Final = 1.0
"""How long WebSockets that are joined to other nodes may take to end."""


class NodeDoor:
    """Opens the listener when the node joins the cluster, and closes it when the node leaves.

    Each process has a Unix socket of its own, in a folder that only its user can enter.

    Args:
        forwarder: makes the forwarder of a node; None when a worker of ``serve`` has one already.
        hand_over: takes a line with a client's WebSocket.
        host: the address of this machine at which other machines reach it; None when there are none.
        port: the port there; 0 means any free one, which the other nodes are told.
        advertise: a name or an address of this machine for others, if it is not ``host``.
    """

    def __init__(
        self,
        forwarder: Callable[[ClusterManager], Forwarder | None],
        hand_over: HandOver,
        host: str | None,
        port: int,
        advertise: str | None,
    ) -> None:
        if host in EVERYWHERE and not advertise:
            raise UsageError(f"host={host!r} is no address that another machine can use: give advertise=")
        self._forwarder: Forwarder | None = None
        self.connections = Connections()
        """The connections that are joined to other nodes, and those of other nodes to this one."""
        self._make_forwarder = forwarder
        self._hand_over = hand_over
        self._host, self._port, self._advertise = host, port, advertise
        self._listener: Listener | None = None
        self._folder: Path | None = None

    async def forwarder(self, member: ClusterManager, node: str) -> Forwarder:
        """Join the cluster if need be, and return what passes requests on to a node."""
        await member.start()
        if node not in member.nodes():
            await member.introduced(INTRODUCTION)
        assert self._forwarder is not None, "the door opens before the node joins"
        return self._forwarder

    async def open(self, member: ClusterManager) -> str:
        """Listen, and return the address for other nodes. Raises ``UsageError`` when that cannot be done."""
        if self._host is not None and member.options.secret is None:
            raise UsageError(
                "host= lets other machines pass requests on, which needs a secret: set CLUSTER_SECRET_FILE"
            )
        self.connections = Connections()
        self._forwarder = self._make_forwarder(member)
        if self._forwarder is None:
            return member.options.address
        self._listener = Listener(self._find, self.connections, self._hand_over)
        self._folder = Path(mkdtemp(prefix="cluster-"))
        place = self._folder / "node.sock"
        await self._listener.open_unix(place)
        port = None
        if self._host is not None:
            sock = listen(self._host, self._port, option="host")
            port = sock.getsockname()[1]
            await self._listener.open_tcp(sock)
        return Internal(socket=place, host=self._host or "", port=port).address(self._advertise)

    async def close(self) -> None:
        """Listen no more, and end the connections to and from other nodes."""
        if self._listener is None:
            return
        self._listener.stop_accepting()
        for connection in list(self.connections):
            connection.shutdown()
        if self._forwarder is not None:
            self._forwarder.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.connections.gone(), END_SECONDS)
        await self._listener.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _find(self, node: str) -> Forwarder | None:
        one = self._forwarder
        return one if one is not None and one.node_id == node else None
