"""The commands that say the same as a message of our nodes."""

from __future__ import annotations

import msgspec

from socketio_cluster.manager.bridge import commands
from socketio_cluster.manager.bridge.commands import (
    Close,
    Command,
    Disconnect,
    Enter,
    Event,
    Expel,
    Join,
    Leave,
    Part,
    Whom,
)
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.bus import messages
from socketio_cluster.manager.bus.query_messages import (
    DisconnectSockets,
    JoinRooms,
    LeaveRooms,
    Query,
    ServerEvent,
)
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
    volatile = selective is not None and selective.volatile
    return Event(emit.namespace, args, emit.rooms, tuple(emit.skip), except_, reply_to, volatile)


def question_of(query: Query) -> Command | None:
    """Return what a question to all nodes does to foreign clients or servers; None if it only asks.

    Raises ``BridgeError`` for what no other kind of cluster can do.
    """
    recipients, question = query.recipients, query.question
    whom = Whom(recipients.namespace, recipients.rooms, tuple(recipients.except_))
    command: Command | None
    match question:
        case JoinRooms(rooms):
            command = Join(whom, rooms)
        case LeaveRooms(rooms):
            command = Part(whom, rooms)
        case DisconnectSockets():
            command = Expel(whom)
        case ServerEvent(event, args):
            return commands.ServerEvent(whom.namespace, [event, *msgspec.msgpack.decode(args)])
        case _:
            return None
    if recipients.where:
        raise BridgeError("where", "no other kind of cluster chooses clients by their sessions")
    return command


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
