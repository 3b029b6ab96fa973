"""Emits that leave out who is in certain rooms, or has another session, or cannot take an event at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.messages import Emit, Recorded, SelectiveEmit
from socketio_cluster.manager.bus.query_messages import Recipients
from socketio_cluster.manager.checks import check_callback, check_event
from socketio_cluster.manager.clients.acks import seconds_of
from socketio_cluster.manager.clients.client import CONNECTED, Callback
from socketio_cluster.manager.clients.packets import Encoded, encode_event, shared_ack_id
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.queries.selection import is_meant, select

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.member import ClusterMember
    from socketio_cluster.manager.queries.selection import Aim
    from socketio_cluster.manager.remote import Remote


class SelectiveEmits:
    """Delivers these emits to clients of this node, and passes them to the other nodes."""

    def __init__(self, manager: ClusterMember) -> None:
        self._manager: ClusterManager = manager

    def encode(self, event: str, data: Any, aim: Aim, callback: Callback | None) -> Encoded:
        """Encode an event once for all."""
        check_callback(callback)
        ack_id = 0 if callback is None else shared_ack_id()
        return encode_event(
            self._manager.packet_class, check_event(event), data, aim.recipients.namespace, ack_id
        )

    async def emit(
        self, encoded: Encoded, aim: Aim, callback: Callback | None = None, *, volatile: bool = False
    ) -> None:
        """Emit an event to its recipients. Raises what ``ClusterManager.emit`` raises.

        A volatile event goes to no other node while the bus is away or behind.
        """
        manager, whom = self._manager, aim.recipients
        if not (is_selective(whom) or volatile):
            await manager.emit_encoded(encoded, whom.namespace, whom.rooms, [], callback, aim.local)
            return
        await manager.start()
        if manager.recovery is not None:
            if callback is None and not volatile and not aim.local:
                event = Emit(whom.namespace, whom.rooms, [], encoded.parts, encoded.text)
                if manager.recovery.emit(Recorded(event, whom.except_, whom.where), encoded.size):
                    await manager.recovery.ease()
                return
            await manager.recovery.in_order()
        node = manager.node
        message = selective(encoded, whom, volatile=volatile)
        channels = [] if aim.local else route(manager.remote, whom)
        number = 0
        if channels and not (volatile and not node.is_free(channels[0])):
            if callback is not None:
                message.event.ack = manager.remote.expect(callback, whom.rooms)
                message.event.ack_seconds = seconds_of(callback, 0)
                manager.expiry.start()
            try:
                number = node.post(message, *channels)
            except BaseException:
                manager.remote.acks.forget(message.event.ack)
                raise
        manager.stats.emitted += 1
        self.deliver(message, whom.rooms, callback)
        if not volatile and node.publisher.crowded(number):
            await node.publisher.wait_for_room(number)

    def deliver(
        self, message: SelectiveEmit, rooms: list[Room] | None, callback: Callback | None = None
    ) -> int:
        """Hand an event to the clients of this node in any of these rooms, but for those it leaves out.

        Returns their number.
        """
        manager, event = self._manager, message.event
        whom = Recipients(event.namespace, rooms, message.except_, message.where)
        clients = [each for each in select(manager, whom) if is_meant(manager, each, whom)]
        if message.volatile:
            is_free = manager.host.is_free
            clients = [each for each in clients if each.state is CONNECTED and is_free(each.eio_sid)]
        encoded = Encoded(event.parts, event.text, event.ack_at, event.ack_id)
        if callback is None:
            manager.fanout.send(clients, encoded, rooms)
        else:
            for client in clients:
                manager.fanout.ask(client, encoded, rooms, callback)
        manager.stats.delivered += len(clients)
        return len(clients)


def is_selective(whom: Recipients) -> bool:
    """Whether an emit leaves out clients of its rooms, which each node knows of its own clients alone."""
    return bool(whom.except_ or whom.where)


def selective(encoded: Encoded, whom: Recipients, *, volatile: bool = False) -> SelectiveEmit:
    """Return the message for other nodes."""
    parts, text, ack_at, ack_id = encoded.parts, encoded.text, encoded.ack_at, encoded.ack_id
    event = Emit(whom.namespace, whom.rooms, [], parts, text, 0, ack_at, ack_id)
    return SelectiveEmit(event, whom.except_, volatile, whom.where)


def route(remote: Remote, whom: Recipients) -> list[str]:
    """Return the channels that reach the recipients.

    The node that a sid names cannot pass on an emit to a room that is named like the sid when it leaves out
    clients, because it does not know others' clients: such an emit goes to the whole namespace.
    """
    named_like_sids = is_selective(whom) and any(map(node_of, whom.rooms or ()))
    return remote.route(whom.namespace, None if named_like_sids else whom.rooms)
