"""All that a worker needs for requests that reached the wrong node: forwarders, a listener, counters."""

from __future__ import annotations

from collections.abc import Iterable

from uvicorn import Config
from uvicorn.server import ServerState

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.forward.forwarder import Forwarder
from socketio_cluster.cluster.forward.listener import Listener
from socketio_cluster.cluster.forward.stats import ForwardStats
from socketio_cluster.cluster.internal import Internal
from socketio_cluster.cluster.listener import listen
from socketio_cluster.manager.client_manager import ClusterManager


class Forwarding:
    """Lets any node answer any request; made inside the running loop.

    Args:
        internal: where this worker listens for other nodes.
        config: uvicorn's.
        state: uvicorn's.
    """

    def __init__(self, internal: Internal, config: Config, state: ServerState) -> None:
        self.stats = ForwardStats()
        self._internal = internal
        self._forwarders: dict[ClusterManager, Forwarder] = {}
        self._listener = Listener(self._find, config, state)
        self._listening = False

    async def install(self, managers: Iterable[ClusterManager]) -> None:
        """Put a forwarder before the server of each manager, once, and listen from the first one on.

        Raises UsageError when this worker cannot listen, or may not: on TCP only with a secret.
        """
        for manager in managers:
            served = manager.server is not None and manager.server.eio.async_mode == "asgi"
            if served and manager not in self._forwarders:
                self._check(manager)
                self._forwarders[manager] = Forwarder(manager, self.stats)
        if self._forwarders and not self._listening:
            await self._listen()

    def stop_accepting(self) -> None:
        """Let no other node in any more."""
        self._listener.stop_accepting()

    async def close(self) -> None:
        """Hang up."""
        for forwarder in self._forwarders.values():
            forwarder.close()
        await self._listener.close()

    def _check(self, manager: ClusterManager) -> None:
        if self._internal.port is not None and manager.options.secret is None:
            raise UsageError("--internal-port needs a secret: set --secret-file")

    async def _listen(self) -> None:
        self._listening = True
        internal = self._internal
        await self._listener.open_unix(internal.socket)
        if internal.port is not None:
            await self._listener.open_tcp(listen(internal.host, internal.port, option="--internal-host"))

    def _find(self, node: str) -> Forwarder | None:
        return next((one for one in self._forwarders.values() if one.node_id == node), None)
