"""``Adapter``: what the dialects of Node.js's two Redis adapters share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, ClassVar, Final

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
from socketio_cluster.manager.bridge.nodejs.signs import Identity
from socketio_cluster.manager.bridge.nodejs.words import opts_of

Answering = Answer | Told | ServerAnswer
"""What answers a question of one of Node.js's servers."""

_NAMES: Final = {Verb.JOIN: "JOIN", Verb.LEAVE: "LEAVE", Verb.DISCONNECT: "DISCONNECT"}


class Adapter(ABC):
    """A ``Dialect`` for Node.js's servers.

    Args:
        node: the id of the bridge's node.
        is_peer: whether a node is another bridge between the same two clusters.
        namespaces: those that the bridge serves. Node.js's servers must have all of them.
        key: the first part of the names of their channels.
    """

    _kinds: ClassVar[type[IntEnum]]
    """The types of messages; JOIN, LEAVE, DISCONNECT and FETCH are among them."""
    channels: Sequence[str]

    def __init__(
        self,
        node: str,
        is_peer: Callable[[str], bool],
        namespaces: Sequence[str] = ("/",),
        key: str = "socket.io",
    ) -> None:
        self._me = Identity(node, is_peer, key)
        self._key = key
        self._node = node
        self._verbs = {int(self._kinds[name]): verb for verb, name in _NAMES.items()}
        self._listen(namespaces)

    @abstractmethod
    def census(self, namespace: str) -> str | None:
        """Return the channel on which all servers with this namespace are asked. See ``Dialect.census``."""

    def read(self, channel: str, payload: bytes) -> Sequence[Command | Post]:
        """Return what a message says. See ``Dialect.read``."""
        try:
            return self._me.read(payload) if channel == self._me.channel else self._read(channel, payload)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise BridgeError("malformed", f"a message on {channel:.100}: {exc!r:.200}") from None

    def write(self, command: Command) -> Sequence[Post]:
        """Return the message that says the same. See ``Dialect.write``."""
        match command:
            case Event():
                return [self._write_event(command)]
            case Answer() | Told() | ServerAnswer():
                return [self._write_answer(command)]
            case ServerEvent():
                return [self._write_server_event(command)]
            case Ask(whom, reply_to):
                asked = {
                    "requestId": self._me.request_id(reply_to),
                    "opts": opts_of(whom.rooms, whom.except_),
                }
                return [self._request(whom.namespace, self._kinds["FETCH"], asked)]
            case Sign():
                return [self._me.write(command)]
            case _:
                move = move_of(command)
                return [self._request(move.whom.namespace, self._kinds[_NAMES[move.verb]], move.fields)]

    def _read_move(self, kind: Any, namespace: str, fields: dict[str, Any]) -> Command:
        """Return a join, a leave or a disconnect. Raises what ``read_move`` does, and ``BridgeError``."""
        if kind not in self._verbs:
            raise BridgeError("unknown", f"a message of the type {kind!r:.40}")
        return read_move(self._verbs[kind], namespace, fields)

    @abstractmethod
    def _listen(self, namespaces: Sequence[str]) -> None:
        """Set ``channels``, and what each of them is for."""

    @abstractmethod
    def _read(self, channel: str, payload: bytes) -> Sequence[Command]:
        """Return what a message of Node.js's servers says. A wrong field may raise anything that it does."""

    @abstractmethod
    def _write_event(self, event: Event) -> Post:
        """Return a broadcast."""

    @abstractmethod
    def _write_answer(self, answer: Answering) -> Post:
        """Return an answer."""

    @abstractmethod
    def _write_server_event(self, event: ServerEvent) -> Post:
        """Return an event for servers."""

    @abstractmethod
    def _request(self, namespace: str, kind: IntEnum, fields: dict[str, Any]) -> Post:
        """Return a message to all servers that have a namespace."""
