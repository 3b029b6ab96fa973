"""What can ask the nodes of the cluster: a client manager, or an emitter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from socketio_cluster.manager.bus.node import Node
    from socketio_cluster.manager.clients.packets import Encoded, PacketClass
    from socketio_cluster.manager.clients.rooms import Callback
    from socketio_cluster.manager.options import Options
    from socketio_cluster.manager.queries.queries import Queries
    from socketio_cluster.manager.queries.selection import Aim
    from socketio_cluster.manager.remote import Remote
    from socketio_cluster.manager.stats import Stats


class OperatorEmits(Protocol):
    """How an operator emits."""

    def encode(self, event: str, data: Any, aim: Aim, callback: Callback | None) -> Encoded:
        """Encode an event once for all."""

    async def emit(
        self, encoded: Encoded, aim: Aim, callback: Callback | None = None, *, volatile: bool = False
    ) -> None:
        """Emit it to whom it is for."""


class Asker(Protocol):
    """What questions need of the process that asks."""

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
        """Join the bus, and know the other nodes."""

    async def posted(self, number: int) -> None:
        """Wait until an envelope is on its way, by its number; 0 is none."""
