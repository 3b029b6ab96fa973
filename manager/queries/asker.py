"""What can ask the nodes of the cluster: a client manager, or an emitter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from socketio_cluster.manager.bus.node import Node
    from socketio_cluster.manager.clients.packets import PacketClass
    from socketio_cluster.manager.options import Options
    from socketio_cluster.manager.queries.queries import Queries
    from socketio_cluster.manager.queries.selective_emits import SelectiveEmits
    from socketio_cluster.manager.remote import Remote
    from socketio_cluster.manager.stats import Stats


class Asker(Protocol):
    """What questions need of the process that asks."""

    options: Options
    stats: Stats
    node: Node
    remote: Remote
    queries: Queries
    selective_emits: SelectiveEmits

    @property
    def packet_class(self) -> PacketClass:
        """The packet format of the servers."""

    async def start(self) -> None:
        """Join the bus, and know the other nodes."""
