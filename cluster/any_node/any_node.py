"""``any_node``: lets any worker of any server answer any request."""

from __future__ import annotations

from functools import partial

from uvicorn import Config
from uvicorn.server import ServerState

from socketio_cluster.cluster.any_node.asgi_asker import AsgiAsker
from socketio_cluster.cluster.any_node.door import NodeDoor
from socketio_cluster.cluster.any_node.wsgi_asker import WsgiAsker
from socketio_cluster.cluster.any_node.wsgi_owner import WsgiOwner
from socketio_cluster.cluster.forward.forwarded_request import ForwardStats
from socketio_cluster.cluster.forward.forwarder import Forwarder, asgi_forwarder
from socketio_cluster.cluster.forward.uvicorn_end import serve_client
from socketio_cluster.cluster.http.websocket import RelayProtocol
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.sync.sync_manager import SyncClusterManager

NAME = "any node"
"""The layer before the server. A worker of ``serve`` has another one, which leaves nothing to this one."""


def any_node(
    manager: ClusterManager | SyncClusterManager,
    *,
    host: str | None = None,
    port: int = 0,
    advertise: str | None = None,
) -> None:
    """Let this process pass on requests for sessions of other nodes, and answer theirs for its own sessions.

    So several workers of one server may share a port without sticky sessions. It is called once, after the
    server was made with the manager. Under ``socketio-cluster serve`` it does nothing: workers there do this
    by themselves.

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
    if getattr(manager, "host", None) is None:
        raise SettingError("any_node(manager) comes after the server that the manager is given to")
    where = host, port, advertise
    if isinstance(manager, SyncClusterManager):
        _install_wsgi(manager, where)
    elif manager.host.asgi:
        _install_asgi(manager, where)
    else:
        raise SettingError(
            f"any_node is for ASGI and WSGI, not for async_mode={manager.host.engine.async_mode!r}:"
            " give each process a port of its own behind a balancer with sticky sessions"
        )


def _install_wsgi(manager: SyncClusterManager, where: tuple[str | None, int, str | None]) -> None:
    owner = WsgiOwner(manager.host, manager.host.request.outermost)
    stats = ForwardStats()

    def forwarder(node: ClusterManager) -> Forwarder:
        return Forwarder(node, stats, local=owner.answer, unknown=owner.unknown)

    manager.door = door = NodeDoor(forwarder, owner.hand_over, *where)
    manager.host.request.put(NAME, partial(WsgiAsker, manager, door))


def _install_asgi(manager: ClusterManager, where: tuple[str | None, int, str | None]) -> None:
    config = Config(
        manager.server.handle_request,
        ws=RelayProtocol,
        ws_max_size=manager.host.engine.max_http_buffer_size,
        ws_ping_interval=None,  # Engine.IO sends pings of its own.
        ws_per_message_deflate=False,
        log_config=None,
    )
    config.load()
    state, stats = ServerState(), ForwardStats()
    local = manager.host.request.outermost

    def forwarder(node: ClusterManager) -> Forwarder:
        return asgi_forwarder(node, stats, local)

    manager.door = door = NodeDoor(forwarder, partial(serve_client, config, state), *where)
    manager.host.request.put(NAME, partial(AsgiAsker, manager, door))
