"""The commands that say the same as a message of our nodes."""

from __future__ import annotations

from socketio_cluster.manager.bridge.commands import Close, Command, Disconnect, Enter, Event, Leave
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.bus import messages
from socketio_cluster.manager.clients.packets import PacketClass, decode


def event_of(
    packet_class: PacketClass, origin: str, message: messages.Emit | messages.SelectiveEmit
) -> Event:
    """Return an emit of the node ``origin``.

    Clients' answers go to that node, with the number of its request.

    Raises ``BridgeError`` for an emit that no other kind of cluster can make, or that cannot be decoded.
    """
    selective = message if isinstance(message, messages.SelectiveEmit) else None
    emit = message.event if isinstance(message, messages.SelectiveEmit) else message
    if selective is not None and selective.where:
        raise BridgeError("where", "no other kind of cluster chooses clients by their sessions")
    try:
        args = decode(packet_class, emit.parts, emit.text).data
    except Exception as exc:  # A serializer of the application may raise anything.
        raise BridgeError("serializer", f"an event is not in the bridge's format: {exc}") from exc
    if not isinstance(args, list) or not args:
        raise BridgeError("serializer", "an event without a name")
    except_ = tuple(selective.except_) if selective is not None else ()
    reply_to = (origin, emit.ack) if emit.ack else None
    return Event(emit.namespace, args, emit.rooms, tuple(emit.skip), except_, reply_to)


def command_of(
    request: messages.Enter | messages.Leave | messages.Close | messages.Disconnect,
) -> Command:
    """Return what another node asks for."""
    match request:
        case messages.Enter():
            return Enter(request.namespace, request.sid, request.room)
        case messages.Leave():
            return Leave(request.namespace, request.sid, request.room)
        case messages.Close():
            return Close(request.namespace, request.room)
        case messages.Disconnect():
            return Disconnect(request.namespace, request.sid)
