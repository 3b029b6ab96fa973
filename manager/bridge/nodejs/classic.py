"""``Classic``: the messages of @socket.io/redis-adapter, the classic one, and of @socket.io/redis-emitter.

A broadcast is ``[uid, packet, opts]`` on the channel of a namespace, or on that of a room. A request is an
object on another channel. Whoever subscribes to that one is counted by Node.js's servers, and owes them an
answer to each question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from socketio_cluster.manager.bridge.commands import (
    Answer,
    Ask,
    Command,
    Event,
    ServerAnswer,
    ServerEvent,
    Told,
    Whom,
)
from socketio_cluster.manager.bridge.dialect import Post
from socketio_cluster.manager.bridge.nodejs.adapter import Adapter, Answering
from socketio_cluster.manager.bridge.nodejs.payloads import pack, read_object, read_payload, write_json
from socketio_cluster.manager.bridge.nodejs.words import (
    describe,
    names_of,
    opts_of_event,
    packet_of,
    read_arguments,
    read_clients,
    read_event,
    read_rooms,
    read_whom,
)


class Kind(IntEnum):
    """The type of a request or of an answer."""

    SOCKETS = 0
    ALL_ROOMS = 1
    JOIN = 2
    LEAVE = 3
    DISCONNECT = 4
    FETCH = 5
    SERVER_EVENT = 6
    BROADCAST = 7
    CLIENT_COUNT = 8
    ACK = 9


class Classic(Adapter):
    """A ``Dialect`` for servers with the classic adapter; ``key`` is its option of that name."""

    _kinds = Kind

    def _listen(self, namespaces: Sequence[str]) -> None:
        key = self._key
        self._broadcasts = {f"{key}#{namespace}#": namespace for namespace in namespaces}
        self._requests = {f"{key}-request#{namespace}#": namespace for namespace in namespaces}
        self._responses = {
            f"{key}-response#{namespace}#{own}": namespace
            for namespace in namespaces
            for own in ("", f"{self._me.uid}#")
        }
        patterns = [re.sub(r"([*?\[\]\\])", r"\\\1", channel) + "*" for channel in self._broadcasts]
        self.channels = (*patterns, *self._requests, *self._responses, self._me.channel)

    def census(self, namespace: str) -> str | None:
        """Return the channel on which all servers with this namespace are asked. See ``Dialect.census``."""
        channel = f"{self._key}-request#{namespace}#"
        return channel if channel in self._requests else None

    def _read(self, channel: str, payload: bytes) -> Sequence[Command]:
        if (namespace := self._responses.get(channel)) is not None:
            return self._read_response(namespace, read_object(payload))
        if (namespace := self._requests.get(channel)) is not None:
            return self._read_request(namespace, read_object(payload))
        return self._read_broadcast(channel, read_payload(payload))

    def _read_broadcast(self, channel: str, message: Any) -> Sequence[Command]:
        uid, packet, opts = message
        namespace = packet.get("nsp", "/")
        prefix = f"{self._key}#{namespace}#"
        if self._me.is_ours(uid) or prefix not in self._broadcasts or not channel.startswith(prefix):
            return []
        return [read_event(namespace, packet, opts)]

    def _read_request(self, namespace: str, message: dict[str, Any]) -> Sequence[Command]:
        if self._me.is_ours(message.get("uid")):
            return []
        kind, opts = message["type"], message.get("opts")
        back = namespace, kind, message.get("requestId")
        match kind:
            case Kind.SOCKETS:
                return [Ask(Whom(namespace, read_rooms(message.get("rooms") or []) or None), back)]
            case Kind.ALL_ROOMS:
                return [Ask(Whom(namespace, None), back)]
            case Kind.FETCH:
                return [Ask(read_whom(namespace, opts), back)]
            case Kind.SERVER_EVENT:
                args = read_arguments(message["data"])
                return [ServerEvent(namespace, args, None if back[2] is None else back)]
            case Kind.BROADCAST:
                event = read_event(namespace, message["packet"], opts, back)
                return [Ask(Whom(namespace, event.rooms, event.except_), back, count=True), event]
        return [self._read_move(kind, namespace, message)]

    def _read_response(self, namespace: str, message: dict[str, Any]) -> Sequence[Command]:
        reply_to = self._me.reply_to(message.get("requestId"))
        if reply_to is None:
            return []
        if "sockets" in message:
            return [Told(reply_to, read_clients(namespace, self._node, message["sockets"]))]
        return [Answer(reply_to, [message.get("packet")])] if message.get("type") == Kind.ACK else []

    def _write_event(self, event: Event) -> Post:
        packet, opts = packet_of(event), opts_of_event(event)
        if event.reply_to is not None:
            asked = self._me.request_id(event.reply_to)
            message: dict[str, Any] = {"uid": self._me.uid, "requestId": asked, "type": int(Kind.BROADCAST)}
            message |= {"packet": packet, "opts": opts}
            return Post(f"{self._key}-request#{event.namespace}#", pack(message))
        room = f"{event.rooms[0]}#" if event.rooms is not None and len(event.rooms) == 1 else ""
        return Post(f"{self._key}#{event.namespace}#{room}", pack([self._me.uid, packet, opts]))

    def _write_answer(self, answer: Answering) -> Post:
        match answer:
            case Answer(reply_to, args):
                return self._respond(reply_to, Kind.ACK, "packet", args[0] if args else None)
            case Told(reply_to, clients):
                return self._tell(reply_to, clients)
            case ServerAnswer(reply_to, results):
                return self._respond(reply_to, Kind.SERVER_EVENT, "data", results)

    def _write_server_event(self, event: ServerEvent) -> Post:
        return self._request(event.namespace, Kind.SERVER_EVENT, {"data": event.args})

    def _request(self, namespace: str, kind: IntEnum, fields: dict[str, Any]) -> Post:
        message = {"uid": self._me.uid, "type": int(kind)} | fields
        return Post(f"{self._key}-request#{namespace}#", write_json(message))

    def _tell(self, reply_to: Any, clients: Any) -> Post:
        _, kind, _ = reply_to
        if isinstance(clients, int) or kind == Kind.BROADCAST:
            count = clients if isinstance(clients, int) else len(clients)
            return self._respond(reply_to, Kind.CLIENT_COUNT, "clientCount", count)
        if kind == Kind.SOCKETS:
            return self._respond(reply_to, Kind.SOCKETS, "sockets", [one.sid for one in names_of(clients)])
        if kind == Kind.ALL_ROOMS:
            rooms = {room for one in names_of(clients) for room in (one.sid, *one.rooms)}
            return self._respond(reply_to, Kind.ALL_ROOMS, "rooms", list(rooms))
        return self._respond(reply_to, Kind.FETCH, "sockets", list(map(describe, names_of(clients))))

    def _respond(self, reply_to: Any, kind: Kind, name: str, value: Any) -> Post:
        namespace, _, request = reply_to
        message = {"type": int(kind), "requestId": request, name: value}
        binary = kind in (Kind.ACK, Kind.FETCH)
        channel = f"{self._key}-response#{namespace}#"
        return Post(channel, pack(message) if binary else write_json(message))
