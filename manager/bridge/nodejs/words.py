"""What all of Node.js's adapters say in the same words: packets, options, and descriptions of clients.

The words are those of socket.io-adapter 2.5 and @socket.io/redis-adapter 8.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from socketio_cluster.manager.bridge.commands import Event, Whom
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.bus.channels import Room, check_room
from socketio_cluster.manager.checks import check_sid
from socketio_cluster.manager.queries.socket_info import SocketInfo

EVENT: Final = 2
"""The type of an event's packet, with binary data or without."""


def read_rooms(value: Any) -> list[Room]:
    """Return a list of rooms. Raises ``TypeError`` and ``ValueError``."""
    if not isinstance(value, list):
        raise TypeError(f"rooms are a list, not {value!r:.80}")
    return list(map(check_room, value))


def read_whom(namespace: str, opts: Any) -> Whom:
    """Return the clients that options choose. Raises ``KeyError``, ``TypeError`` and ``ValueError``."""
    return Whom(namespace, read_rooms(opts["rooms"]) or None, tuple(read_rooms(opts.get("except") or [])))


def read_event(namespace: str, packet: Any, opts: Any, reply_to: Any = None) -> Event:
    """Return the event of a broadcast. Raises ``KeyError``, ``TypeError`` and ``ValueError``."""
    args = packet["data"]
    if packet["type"] != EVENT or not isinstance(args, list) or not args:
        raise ValueError("a broadcast that is no event")
    whom, flags = read_whom(namespace, opts), opts.get("flags") or {}
    volatile = isinstance(flags, dict) and flags.get("volatile") is True
    return Event(namespace, args, whom.rooms, (), whom.except_, reply_to, volatile)


def read_arguments(value: Any) -> list[Any]:
    """Return the arguments of an event for servers, its name first. Raises ``TypeError``."""
    if not (isinstance(value, list) and value and isinstance(value[0], str)):
        raise TypeError("an event for servers that has no name")
    return value


def packet_of(event: Event) -> dict[str, Any]:
    """Return the packet of an event."""
    return {"type": EVENT, "data": event.args, "nsp": event.namespace}


def opts_of(rooms: Iterable[Room] | None, except_: Iterable[Room] = ()) -> dict[str, Any]:
    """Return the options that choose clients."""
    return {"rooms": list(rooms or ()), "except": list(except_), "flags": {}}


def opts_of_event(event: Event) -> dict[str, Any]:
    """Return the options of a broadcast. Raises ``BridgeError`` for one that goes to nobody."""
    if event.rooms == []:
        raise BridgeError("nobody", "an event for no room: in Node.js that would be everybody")
    flags = {"volatile": True} if event.volatile else {}
    return opts_of(event.rooms, (*event.skip, *event.except_)) | {"flags": flags}


def describe(client: SocketInfo) -> dict[str, Any]:
    """Return a client as a Node.js server describes its own.

    Of the handshake only the time and the address are known. ``data`` is the session.
    """
    at = datetime.fromtimestamp(client.connected_at, UTC)
    handshake = {
        "headers": {},
        "time": at.strftime("%a %b %d %Y %H:%M:%S GMT+0000"),
        "address": client.address,
        "xdomain": False,
        "secure": False,
        "issued": int(client.connected_at * 1000),
        "url": "",
        "query": {},
        "auth": {},
    }
    rooms = [client.sid, *client.rooms]
    return {"id": client.sid, "handshake": handshake, "rooms": rooms, "data": client.session or {}}


def read_clients(namespace: str, node: str, sockets: Any) -> list[SocketInfo]:
    """Return clients that a Node.js server describes; ``node`` stands for that server.

    Raises ``KeyError``, ``TypeError`` and ``ValueError``.
    """
    return [_read_client(namespace, node, each) for each in sockets]


def _read_client(namespace: str, node: str, described: dict[str, Any]) -> SocketInfo:
    sid, handshake = check_sid(described["id"]), described.get("handshake") or {}
    rooms = frozenset(read_rooms(described["rooms"])) - {sid}
    issued, address = handshake.get("issued") or 0, handshake.get("address") or ""
    return SocketInfo(sid, node, namespace, rooms, issued / 1000, str(address), "", described.get("data"))


def names_of(clients: Sequence[SocketInfo] | int) -> Sequence[SocketInfo]:
    """Return the clients of an answer, which has no number in its place."""
    return () if isinstance(clients, int) else clients
