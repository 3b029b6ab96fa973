"""The dicts that python-socketio's managers send each other, and the commands that say the same.

    emit        event, data, binary, namespace, room, skip_sid, callback: [room, namespace, id] or null
    callback    sid, namespace, id, args; its host_id is that of the emit
    enter_room, leave_room    sid, namespace, room
    close_room  namespace, room
    disconnect  sid, namespace

The ``callback`` of an emit of ours is [node, namespace, request]: it comes back in the answer, so the bridge
has to remember nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from socketio_cluster.manager.bridge.commands import (
    Answer,
    Close,
    Command,
    Disconnect,
    Enter,
    Event,
    Leave,
    Sign,
)
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.bridge.stock.attachments import put_back, take_out
from socketio_cluster.manager.bus.channels import Room, check_room
from socketio_cluster.manager.checks import check_namespace, check_sid
from socketio_cluster.manager.ids import node_of

SIGN: Final = "socketio_cluster_bridge"
"""The method of a ``Sign``, which python-socketio ignores."""

Message = dict[str, Any]


def read_sign(node: str, message: Message) -> Sign:
    """Return what another bridge says. Raises ``KeyError``, ``TypeError`` and ``ValueError``."""
    return Sign(node, float(message["since"]), bool(message["able"]))


def read_answer(message: Message) -> Answer:
    """Return the answer to an emit of ours. Raises ``KeyError``, ``TypeError`` and ``ValueError``."""
    node, request, args = message["sid"], message["id"], message["args"]
    if not (isinstance(node, str) and isinstance(request, int) and isinstance(args, list | tuple)):
        raise TypeError("no answer to an emit of this cluster")
    return Answer((node, request), list(args))


def read_command(method: Any, message: Message, *, old: bool) -> Sequence[Command]:
    """Return the command that says the same as a message, or nothing for a method that is not known.

    ``old`` tells that it is from python-socketio 5.13 or older. Raises ``KeyError``, ``TypeError`` and
    ``ValueError``.
    """
    namespace = check_namespace(message.get("namespace"))
    match method:
        case "emit":
            return [_read_event(namespace, message, old=old)]
        case "enter_room":
            return [Enter(namespace, check_sid(message["sid"]), check_room(message["room"]))]
        case "leave_room":
            return [Leave(namespace, check_sid(message["sid"]), check_room(message["room"]))]
        case "close_room":
            return [Close(namespace, check_room(message["room"]))]
        case "disconnect":
            return [Disconnect(namespace, check_sid(message["sid"]))]
    return []


def write_command(command: Command, *, old: bool) -> Message:
    """Return the message that says the same. Raises ``BridgeError``."""
    match command:
        case Event():
            return _write_event(command, old=old)
        case Answer():
            host, sid, namespace, number = command.reply_to
            message = {"method": "callback", "host_id": host, "sid": sid, "namespace": namespace}
            return message | {"id": number, "args": command.args}
        case Enter(namespace, sid, room):
            return {"method": "enter_room", "sid": sid, "room": room, "namespace": namespace}
        case Leave(namespace, sid, room):
            return {"method": "leave_room", "sid": sid, "room": room, "namespace": namespace}
        case Close(namespace, room):
            return {"method": "close_room", "room": room, "namespace": namespace}
        case Disconnect(namespace, sid):
            return {"method": "disconnect", "sid": sid, "namespace": namespace}
        case Sign():
            return {"method": SIGN, "since": command.since, "able": command.able}
    raise BridgeError("unknown", f"python-socketio has no words for {type(command).__name__}")


def _read_event(namespace: str, message: Message, *, old: bool) -> Event:
    data, callback = message["data"], message.get("callback")
    if old:
        args = list(data) if isinstance(data, tuple) else [data]
    else:
        if message.get("binary"):
            data = put_back(data[0], data[1:])
        args = data if isinstance(data, list) else [data]
    if args == [None]:
        args = []  # This is how an event without arguments is written.
    reply_to = None
    if isinstance(callback, list | tuple) and len(callback) == 3:
        reply_to = (message.get("host_id"), *callback)
    rooms, skip = _read_rooms(message.get("room")), _read_skip(message.get("skip_sid"))
    return Event(namespace, [message["event"], *args], rooms, skip, reply_to=reply_to)


def _read_rooms(room: Any) -> list[Room] | None:
    if room is None:
        return None
    return list(map(check_room, room)) if isinstance(room, list | tuple) else [check_room(room)]


def _read_skip(skip: Any) -> tuple[str, ...]:
    sids: Sequence[Any] = skip if isinstance(skip, list | tuple) else [skip]
    return tuple(check_sid(sid) for sid in sids if sid is not None)


def _write_event(event: Event, *, old: bool) -> Message:
    name, *args = event.args
    skip = [*event.skip, *event.except_]
    if any(node_of(room) is None for room in event.except_):
        raise BridgeError("except", "python-socketio cannot leave out the clients of a room")
    room = event.rooms[0] if event.rooms is not None and len(event.rooms) == 1 else event.rooms
    callback = None
    if event.reply_to is not None:
        node, request = event.reply_to
        callback = [node, event.namespace, request]
    message = {"method": "emit", "event": name, "namespace": event.namespace, "room": room}
    message |= {"skip_sid": skip or None, "callback": callback}
    if old:
        data = args[0] if len(args) == 1 else tuple(args) if args else None
        return message | {"data": data}
    plain, taken = take_out(args or [None])
    return message | {"data": [plain, *taken] if taken else plain, "binary": bool(taken)}
