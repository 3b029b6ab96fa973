"""The interface of what can ask the nodes of the cluster: a client manager, or an emitter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from socketio_cluster.manager.bus.node import Node
    from socketio_cluster.manager.clients.client import Callback
    from socketio_cluster.manager.clients.packets import Encoded, PacketClass
    from socketio_cluster.manager.options import Options
    from socketio_cluster.manager.queries.queries import Queries
    from socketio_cluster.manager.queries.selection import Aim
    from socketio_cluster.manager.remote import Remote
    from socketio_cluster.manager.stats import Stats


class OperatorEmits(Protocol):
    """The methods by which an operator emits."""

    def encode(self, event: str, data: Any, aim: Aim, callback: Callback | None) -> Encoded:
        """Encode an event once for all."""

    async def emit(
        self, encoded: Encoded, aim: Aim, callback: Callback | None = None, *, volatile: bool = False
    ) -> None:
        """Emit an event to its recipients."""


class Asker(Protocol):
    """The parts of the asking process that questions need."""

    options: Options
    stats: Stats
    node: Node
    remote: Remote
    queries: Queries
    selective_emits: OperatorEmits

    @property
    def packet_class(self) -> PacketClass:
        """The packet format of the servers."""

    async def start(self) -> None:
        """Join the bus."""

    async def introduced(self, seconds: float) -> bool:
        """Join the bus, and wait until all nodes are known. Returns False if the bus is away so long."""

    async def publish(self, post: Callable[[], int]) -> None:
        """Join the bus, and call ``post``, which posts an envelope and returns its number, or 0."""
