"""Emits that leave out who is in certain rooms, or who cannot take an event at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.messages import Emit, SelectiveEmit
from socketio_cluster.manager.bus.query import Recipients
from socketio_cluster.manager.clients.packets import Encoded, encode_event
from socketio_cluster.manager.clients.rooms import CONNECTED
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.queries.selection import select

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember


class SelectiveEmits:
    """Delivers them here and passes them to the other nodes."""

    def __init__(self, manager: ClusterMember) -> None:
        self._manager = manager

    async def emit(self, event: str, data: Any, whom: Recipients, *, volatile: bool, local: bool) -> None:
        """Emit to whom it is for; raises what ``ClusterManager.emit`` raises.

        A volatile event goes to no other node while the bus is away or behind.
        """
        manager = self._manager
        encoded = encode_event(manager.server.packet_class, event, data, whom.namespace)
        await manager.start()
        message = SelectiveEmit(Emit(whom.namespace, whom.rooms, [], *encoded[:2]), whom.except_, volatile)
        node = manager.node
        if not local and not (volatile and (node.publisher.full or not node.ready)):
            channels = self._route(whom)
            if channels:
                node.post(message, *channels)
        manager.stats.emitted += 1
        self.deliver(message, whom.rooms)
        if not volatile and node.publisher.full:
            await node.publisher.wait_for_capacity()

    def deliver(self, message: SelectiveEmit, rooms: list[Room] | None) -> None:
        """Hand an event to the clients of this node in any of these rooms, but for those it leaves out."""
        manager, event = self._manager, message.event
        clients = select(manager.members, Recipients(event.namespace, rooms, message.except_))
        if message.volatile:
            is_free = manager.host.is_free
            clients = [each for each in clients if each.state is CONNECTED and is_free(each.eio_sid)]
        manager.fanout.send(clients, Encoded(event.parts, event.text), rooms)
        manager.stats.delivered += len(clients)

    def _route(self, whom: Recipients) -> list[str]:
        """The channels that reach the recipients.

        Each node knows only of its own clients whether they are in ``except_``. So the node that a sid names
        cannot pass on an emit to a room that is named like the sid: it goes to the whole namespace.
        """
        named_like_sids = whom.except_ and any(map(node_of, whom.rooms or ()))
        rooms = None if named_like_sids else whom.rooms
        return self._manager.remote.route(whom.namespace, rooms)
