"""An asyncio server's requests for sessions of other nodes, under an ASGI server that is not ours."""

from __future__ import annotations

from typing import Any

from socketio_cluster.cluster.any_node.door import NodeDoor
from socketio_cluster.cluster.forward.forwarder import AsgiApp
from socketio_cluster.cluster.forward.messages import sid_in
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.ids import node_of


class AsgiAsker:
    """A layer before a server. It lets the forwarder answer for other nodes' sessions.

    Args:
        manager: the manager of the server.
        door: has the forwarder.
        local: the server itself.
    """

    def __init__(self, manager: ClusterManager, door: NodeDoor, local: AsgiApp) -> None:
        self._manager = manager
        self._door = door
        self._local = local

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Serve a request here, or let the node of its session answer it."""
        node = node_of(sid_in(scope.get("query_string", b"")))
        if node is None or node == self._manager.node_id:
            return await self._local(scope, receive, send)
        forwarder = await self._door.forwarder(self._manager, node)
        return await forwarder.handle_request(scope, receive, send)
