"""``AnyNode``: lets any worker of any server answer any request."""

from __future__ import annotations

from functools import partial
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from socketio_cluster.cluster.any_node.asgi_asker import AsgiAsker
from socketio_cluster.cluster.any_node.door import NodeDoor
from socketio_cluster.cluster.any_node.wsgi_asker import WsgiAsker
from socketio_cluster.cluster.any_node.wsgi_owner import WsgiOwner
from socketio_cluster.cluster.forward.forwarded_request import ForwardStats
from socketio_cluster.cluster.forward.forwarder import NAME as SERVE
from socketio_cluster.cluster.forward.forwarder import Forwarder, asgi_forwarder
from socketio_cluster.cluster.forward.uvicorn_end import serve_client
from socketio_cluster.cluster.http.websocket import RelayProtocol
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.sync.sync_manager import SyncClusterManager

NAME = "any node"
"""The layer before the server. A worker of ``serve`` has another one, which leaves nothing to this one."""

Where = tuple[str | None, int, str | None]
"""The host, port and advertised name of a process for other machines."""


class AnyNode:
    """Lets a process pass on requests for sessions of other nodes, and answer theirs for its own sessions.

    So several workers of one server may share a port without sticky sessions. It is made once, after the
    server that the manager is given to. Under ``socketio-cluster serve`` it does nothing: workers there do
    this by themselves.

    Args:
        manager: the manager of the server.
        host: the address of this machine at which other machines reach it. Without one only processes of this
            machine pass requests on to each other.
        port: the TCP port there. 0 means any free one, which the other nodes are told.
        advertise: the name or address of this machine that others are told, if it is not ``host``.

    Raises:
        SettingError: the manager has no server yet, or a server that is neither WSGI nor ASGI.
        UsageError: other machines cannot use the address.
    """

    def __init__(
        self,
        manager: ClusterManager | SyncClusterManager,
        *,
        host: str | None = None,
        port: int = 0,
        advertise: str | None = None,
    ) -> None:
        if getattr(manager, "host", None) is None:
            raise SettingError("AnyNode(manager) comes after the server that the manager is given to")
        self.stats = ForwardStats()
        """Counts the requests that were passed on."""
        where = host, port, advertise
        if isinstance(manager, SyncClusterManager):
            self._install_wsgi(manager, where)
        elif manager.host.asgi:
            self._install_asgi(manager, where)
        else:
            raise SettingError(
                f"AnyNode is for ASGI and WSGI, not for async_mode={manager.host.engine.async_mode!r}:"
                " give each process a port of its own behind a balancer with sticky sessions"
            )

    def _install_wsgi(self, manager: SyncClusterManager, where: Where) -> None:
        owner = WsgiOwner(manager.host, manager.host.request.outermost)

        def forwarder(node: ClusterManager) -> Forwarder:
            return Forwarder(node, self.stats, local=owner.answer, unknown=owner.unknown)

        manager.door = door = NodeDoor(forwarder, owner.hand_over, *where)
        manager.host.request.put(NAME, partial(WsgiAsker, manager, door))

    def _install_asgi(self, manager: ClusterManager, where: Where) -> None:
        config = Config(
            _nobody,
            ws=RelayProtocol,
            ws_max_size=manager.host.engine.max_http_buffer_size,
            ws_ping_interval=None,  # Engine.IO sends pings of its own.
            ws_per_message_deflate=False,
            log_config=None,
        )
        config.load()
        state, local = ServerState(), manager.host.request.outermost

        def forwarder(node: ClusterManager) -> Forwarder | None:
            return None if SERVE in node.host.layers else asgi_forwarder(node, self.stats, local)

        manager.door = door = NodeDoor(forwarder, partial(serve_client, config, state), *where)
        manager.host.request.put(NAME, partial(AsgiAsker, manager, door))


async def _nobody(scope: Any, receive: Any, send: Any) -> None:
    """Stand in for the application of ``Config``: each WebSocket is served by the owner of its session."""
