"""The parts of a worker for requests that reach the wrong node: forwarders, a listener, counters."""

from __future__ import annotations

from functools import partial

from uvicorn import Config
from uvicorn.server import ServerState

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.forward.forwarded_request import ForwardStats
from socketio_cluster.cluster.forward.forwarder import NAME, Forwarder, install
from socketio_cluster.cluster.forward.listener import Listener
from socketio_cluster.cluster.forward.uvicorn_end import serve_client
from socketio_cluster.cluster.internal import Internal
from socketio_cluster.cluster.sockets.sockets import listen
from socketio_cluster.manager.client_manager import ClusterManager


class Forwarding:
    """The layer by which any node answers any request. It is made inside the running loop.

    Args:
        internal: the addresses at which this worker listens for other nodes.
        config: uvicorn's settings.
        state: uvicorn's open connections and running calls.
    """

    name = NAME

    def __init__(self, internal: Internal, config: Config, state: ServerState) -> None:
        self.stats = ForwardStats()
        self._internal = internal
        self._forwarders: list[Forwarder] = []
        self._listener = Listener(self._find, state.connections, partial(serve_client, config, state))
        self._listening = False

    def install(self, manager: ClusterManager) -> Forwarder:
        """Put a forwarder before the server of a manager; raise UsageError for TCP without a secret."""
        self._check(manager)
        forwarder = install(manager, self.stats)
        self._forwarders.append(forwarder)
        return forwarder

    async def listen(self) -> None:
        """Listen for other nodes, if there is a server; raise UsageError when an address cannot be used."""
        if not self._forwarders or self._listening:
            return
        self._listening = True
        internal = self._internal
        await self._listener.open_unix(internal.socket)
        if internal.port is not None:
            await self._listener.open_tcp(listen(internal.host, internal.port, option="--internal-host"))

    def stop_accepting(self) -> None:
        """Take no new connections of other nodes."""
        self._listener.stop_accepting()

    async def close(self) -> None:
        """Close the lines to and from other nodes."""
        for forwarder in self._forwarders:
            forwarder.close()
        await self._listener.close()

    def _check(self, manager: ClusterManager) -> None:
        if self._internal.port is not None and manager.options.secret is None:
            raise UsageError("--internal-port needs a secret: set --secret-file")

    def _find(self, node: str) -> Forwarder | None:
        return next((one for one in self._forwarders if one.node_id == node), None)
