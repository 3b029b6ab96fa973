"""``Sharded``: the messages of ``createShardedAdapter`` of @socket.io/redis-adapter.

They are objects with ``uid``, ``nsp``, ``type`` and ``data``, those of ClusterAdapter of socket.io-adapter.
All go to the channel of their namespace, and answers to that of the one who has asked. With the option
``subscriptionMode: "dynamic"`` Node.js's servers would send an event for one room to a channel of the room.
There is no pattern for such channels, so a bridge needs "static".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final

from socketio_cluster.manager.bridge.commands import (
    Answer,
    Ask,
    Command,
    Event,
    ServerAnswer,
    ServerEvent,
    Sign,
    Told,
)
from socketio_cluster.manager.bridge.dialect import BridgeError, Post
from socketio_cluster.manager.bridge.nodejs.moves import Verb, move_of, read_move
from socketio_cluster.manager.bridge.nodejs.payloads import pack, read_object
from socketio_cluster.manager.bridge.nodejs.signs import MARK, Identity
from socketio_cluster.manager.bridge.nodejs.words import (
    describe,
    names_of,
    opts_of,
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
_VERBS: Final = {
    int(Kind.JOIN): Verb.JOIN,
    int(Kind.LEAVE): Verb.LEAVE,
    int(Kind.DISCONNECT): Verb.DISCONNECT,
}
_KINDS: Final = {verb: Kind(kind) for kind, verb in _VERBS.items()}


def room_channels(key: str, namespaces: Sequence[str], channels: Sequence[str]) -> list[str]:
    """Return those channels that servers with another ``subscriptionMode`` read: those of rooms.

    The other channels of a namespace are its own, and one for each server, whose id is 16 hexadecimal digits.
    """
    found = []
    for namespace in namespaces:
        rest = re.compile(rf"{re.escape(f'{key}#{namespace}#')}(?!{_SERVER}#$).+#", re.DOTALL)
        found += [channel for channel in channels if rest.fullmatch(channel)]
    return found


class Sharded:
    """A ``Dialect`` for Node.js's servers with the sharded Redis adapter.

    Args:
        node: the id of the bridge's node.
        is_peer: whether a node is another bridge between the same two clusters.
        namespaces: those that the bridge serves. Node.js's servers must have all of them.
        key: the option ``channelPrefix`` of their adapter.
    """

    def __init__(
        self,
        node: str,
        is_peer: Callable[[str], bool],
        namespaces: Sequence[str] = ("/",),
        key: str = "socket.io",
    ) -> None:
        self._me = Identity(node, is_peer, key)
        self._key = key
        self._namespaces = {f"{key}#{namespace}#": namespace for namespace in namespaces}
        self._node = node
        self._inboxes = {f"{channel}{self._me.uid}#": name for channel, name in self._namespaces.items()}
        self.channels: Sequence[str] = (*self._namespaces, *self._inboxes, self._me.channel)

    def census(self, namespace: str) -> str | None:
        """Return the channel on which all servers with this namespace are asked. See ``Dialect.census``."""
        channel = f"{self._key}#{namespace}#"
        return channel if channel in self._namespaces else None

    def read(self, channel: str, payload: bytes) -> Sequence[Command | Post]:
        """Return what a message says. See ``Dialect.read``."""
        try:
            if channel == self._me.channel:
                return self._me.read(payload)
            message = read_object(payload)
            if (namespace := self._inboxes.get(channel)) is not None:
                return self._read_answer(namespace, message["type"], message["data"])
            uid, namespace = message["uid"], message["nsp"]
            if self._me.is_ours(uid) or namespace != self._namespaces.get(channel):
                return []
            return self._read(uid, namespace, message["type"], message["data"])
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise BridgeError("malformed", f"a message on {channel:.100}: {exc!r:.200}") from None

    def write(self, command: Command) -> Sequence[Post]:
        """Return the message that says the same. See ``Dialect.write``."""
        match command:
            case Event():
                return [self._write_event(command)]
            case Answer(reply_to, args):
                return [self._respond(reply_to, Kind.ACK, {"packet": args[0] if args else None})]
            case Told(reply_to, int(count)):
                return [self._respond(reply_to, Kind.CLIENT_COUNT, {"clientCount": count})]
            case Told(reply_to, clients):
                sockets = list(map(describe, names_of(clients)))
                return [self._respond(reply_to, Kind.FETCHED, {"sockets": sockets})]
            case ServerAnswer(reply_to, results):
                return [self._respond(reply_to, Kind.SERVER_ANSWER, {"packet": results})]
            case ServerEvent(namespace, args):
                return [self._post(namespace, Kind.SERVER_EVENT, {"packet": args})]
            case Ask(whom, reply_to):
                asked = {
                    "requestId": self._me.request_id(reply_to),
                    "opts": opts_of(whom.rooms, whom.except_),
                }
                return [self._post(whom.namespace, Kind.FETCH, asked)]
            case Sign():
                return [self._me.write(command)]
            case _:
                move = move_of(command)
                return [self._post(move.whom.namespace, _KINDS[move.verb], move.fields)]

    def _read(self, uid: str, namespace: str, kind: Any, data: dict[str, Any]) -> Sequence[Command]:
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
        if kind not in _VERBS:
            raise BridgeError("unknown", f"a message of the type {kind!r:.40}")
        return [read_move(_VERBS[kind], namespace, data)]

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
        return self._post(event.namespace, Kind.BROADCAST, data)

    def _respond(self, reply_to: Any, kind: Kind, data: dict[str, Any]) -> Post:
        namespace, uid, request = reply_to
        return self._post(namespace, kind, {"requestId": request} | data, f"{uid}#")

    def _post(self, namespace: str, kind: Kind, data: dict[str, Any], inbox: str = "") -> Post:
        message = {"uid": self._me.uid, "nsp": namespace, "type": int(kind), "data": data}
        return Post(f"{self._key}#{namespace}#{inbox}", pack(message))
