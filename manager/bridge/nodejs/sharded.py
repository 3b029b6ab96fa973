"""``Sharded``: the messages of ``createShardedAdapter`` of @socket.io/redis-adapter.

They are objects with ``uid``, ``nsp``, ``type`` and ``data``, those of ClusterAdapter of socket.io-adapter.
All go to the channel of their namespace, and answers to that of the one who has asked. With the option
``subscriptionMode: "dynamic"`` Node.js's servers would send an event for one room to a channel of the room.
There is no pattern for such channels, so a bridge needs "static".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Final

from socketio_cluster.manager.bridge.commands import (
    Answer,
    Ask,
    Command,
    Event,
    ServerAnswer,
    ServerEvent,
    Told,
)
from socketio_cluster.manager.bridge.dialect import Post
from socketio_cluster.manager.bridge.nodejs.adapter import Adapter, Answering
from socketio_cluster.manager.bridge.nodejs.payloads import pack, read_object
from socketio_cluster.manager.bridge.nodejs.signs import MARK
from socketio_cluster.manager.bridge.nodejs.words import (
    describe,
    names_of,
    opts_of_event,
    packet_of,
    read_arguments,
    read_clients,
    read_event,
    read_whom,
)
from socketio_cluster.manager.ids import NODE_CHARS


class Kind(IntEnum):
    """The type of a message."""

    BROADCAST = 3
    JOIN = 4
    LEAVE = 5
    DISCONNECT = 6
    FETCH = 7
    FETCHED = 8
    SERVER_EVENT = 9
    SERVER_ANSWER = 10
    CLIENT_COUNT = 11
    ACK = 12


_SERVER: Final = f"(?:[0-9a-f]{{16}}|{MARK}.{{{NODE_CHARS}}})"
"""The ids of servers and bridges."""


def room_channels(key: str, namespaces: Sequence[str], channels: Sequence[str]) -> list[str]:
    """Return those channels that servers with another ``subscriptionMode`` read: those of rooms.

    The other channels of a namespace are its own, and one for each server, whose id is 16 hexadecimal digits.
    """
    found = []
    for namespace in namespaces:
        rest = re.compile(rf"{re.escape(f'{key}#{namespace}#')}(?!{_SERVER}#$).+#", re.DOTALL)
        found += [channel for channel in channels if rest.fullmatch(channel)]
    return found


class Sharded(Adapter):
    """A ``Dialect`` for servers with the sharded adapter; ``key`` is its option ``channelPrefix``."""

    _kinds = Kind

    def _listen(self, namespaces: Sequence[str]) -> None:
        key = self._key
        self._namespaces = {f"{key}#{namespace}#": namespace for namespace in namespaces}
        self._inboxes = {f"{channel}{self._me.uid}#": name for channel, name in self._namespaces.items()}
        self.channels = (*self._namespaces, *self._inboxes, self._me.channel)

    def census(self, namespace: str) -> str | None:
        """Return the channel on which all servers with this namespace are asked. See ``Dialect.census``."""
        channel = f"{self._key}#{namespace}#"
        return channel if channel in self._namespaces else None

    def _read(self, channel: str, payload: bytes) -> Sequence[Command]:
        message = read_object(payload)
        if (namespace := self._inboxes.get(channel)) is not None:
            return self._read_answer(namespace, message["type"], message["data"])
        uid, namespace = message["uid"], message["nsp"]
        if self._me.is_ours(uid) or namespace != self._namespaces.get(channel):
            return []
        return self._read_request(uid, namespace, message["type"], message["data"])

    def _read_request(self, uid: str, namespace: str, kind: Any, data: dict[str, Any]) -> Sequence[Command]:
        back = namespace, uid, data.get("requestId")
        asked = back[2] is not None
        match kind:
            case Kind.BROADCAST:
                event = read_event(namespace, data["packet"], data["opts"], back if asked else None)
                whom = read_whom(namespace, data["opts"])
                return [Ask(whom, back, count=True), event] if asked else [event]
            case Kind.FETCH:
                return [Ask(read_whom(namespace, data["opts"]), back)]
            case Kind.SERVER_EVENT:
                return [ServerEvent(namespace, read_arguments(data["packet"]), back if asked else None)]
        return [self._read_move(kind, namespace, data)]

    def _read_answer(self, namespace: str, kind: Any, data: dict[str, Any]) -> Sequence[Command]:
        reply_to = self._me.reply_to(data.get("requestId"))
        if reply_to is None:
            return []
        if kind == Kind.FETCHED:
            return [Told(reply_to, read_clients(namespace, self._node, data["sockets"]))]
        return [Answer(reply_to, [data.get("packet")])] if kind == Kind.ACK else []

    def _write_event(self, event: Event) -> Post:
        data: dict[str, Any] = {"packet": packet_of(event), "opts": opts_of_event(event)}
        if event.reply_to is not None:
            data["requestId"] = self._me.request_id(event.reply_to)
        return self._request(event.namespace, Kind.BROADCAST, data)

    def _write_answer(self, answer: Answering) -> Post:
        match answer:
            case Answer(reply_to, args):
                return self._respond(reply_to, Kind.ACK, {"packet": args[0] if args else None})
            case Told(reply_to, int(count)):
                return self._respond(reply_to, Kind.CLIENT_COUNT, {"clientCount": count})
            case Told(reply_to, clients):
                sockets = list(map(describe, names_of(clients)))
                return self._respond(reply_to, Kind.FETCHED, {"sockets": sockets})
            case ServerAnswer(reply_to, results):
                return self._respond(reply_to, Kind.SERVER_ANSWER, {"packet": results})

    def _write_server_event(self, event: ServerEvent) -> Post:
        return self._request(event.namespace, Kind.SERVER_EVENT, {"packet": event.args})

    def _request(self, namespace: str, kind: IntEnum, fields: dict[str, Any]) -> Post:
        return self._post(namespace, kind, fields)

    def _respond(self, reply_to: Any, kind: Kind, data: dict[str, Any]) -> Post:
        namespace, uid, request = reply_to
        return self._post(namespace, kind, {"requestId": request} | data, f"{uid}#")

    def _post(self, namespace: str, kind: IntEnum, data: dict[str, Any], inbox: str = "") -> Post:
        message = {"uid": self._me.uid, "nsp": namespace, "type": int(kind), "data": data}
        return Post(f"{self._key}#{namespace}#{inbox}", pack(message))
