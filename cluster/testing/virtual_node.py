"""A node in the event loop of a test: an application of its own, with its manager and its lifespan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from socketio_cluster.cluster.client_address import Addresses
from socketio_cluster.cluster.stack import Stack
from socketio_cluster.cluster.strict.gate import Strict
from socketio_cluster.cluster.testing.app_websocket import ASGIApp
from socketio_cluster.cluster.testing.lifespan import Lifespan
from socketio_cluster.manager.client_manager import ClusterManager, active_managers
from socketio_cluster.manager.clients.packets import PacketClass
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.options import impose

HANDSHAKE: Final = [
    (b"host", b"testserver"),
    (b"upgrade", b"websocket"),
    (b"connection", b"Upgrade"),
    (b"sec-websocket-version", b"13"),
]
"""The headers of a WebSocket's handshake (RFC 6455, section 4.1) that applications may look at."""


class VirtualNode:
    """One node of a ``TestCluster``."""

    def __init__(self, make_app: Callable[[], Any], options: Mapping[str, object]) -> None:
        self._before = set(active_managers())
        self._options = options
        self._stack = Stack([Addresses(), Strict()])
        with impose(options):
            self.app: ASGIApp = make_app()
            """The ASGI application of this node, for HTTP requests: ``httpx.ASGITransport(node.app)``."""
        self.managers = self._made()
        """The managers that the application has made: mostly one."""
        self._lifespan = Lifespan(self.app)

    @property
    def manager(self) -> ClusterManager:
        """The ``ClusterManager`` of the application. Raises ``SettingError`` if it has not just one."""
        if not self.managers:
            raise SettingError(
                "the application has made no ClusterManager: give TestCluster a function that makes the"
                " server and returns its application, or the application's name: TestCluster('module:app')"
            )
        if len(self.managers) > 1:
            raise SettingError(f"the application has made {len(self.managers)} managers: see node.managers")
        return self.managers[0]

    @property
    def sio(self) -> Any:
        """The Socket.IO server of the application."""
        return self.manager.server

    @property
    def packet_class(self) -> PacketClass:
        """The packet format of the server, as its clients have it."""
        return self.manager.packet_class.plain  # type: ignore[no-any-return]

    async def start(self) -> None:
        """Join the others, and start the application, in the order of a worker of ``serve``."""
        await self._start_managers()
        with impose(self._options):
            await self._lifespan.start()
        self.managers = self._made()
        await self._start_managers()

    async def stop(self) -> None:
        """Let the application end, and leave the others."""
        try:
            await self._lifespan.stop()
        finally:
            for manager in self.managers:
                await manager.server.shutdown()

    def scope(self, path: str, query: str, headers: dict[str, str]) -> dict[str, Any]:
        """Return the ASGI scope of a WebSocket to this node."""
        given = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        names = {name for name, _ in given}
        return {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [*(one for one in HANDSHAKE if one[0] not in names), *given],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
            "state": self._lifespan.state.copy(),
        }

    def _made(self) -> list[ClusterManager]:
        """Return the managers of servers that were made since this node was."""
        return [one for one in active_managers() if one.server is not None and one not in self._before]

    async def _start_managers(self) -> None:
        self._stack.install(self.managers)
        for manager in self.managers:
            await manager.start()
