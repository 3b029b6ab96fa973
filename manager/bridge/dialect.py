"""``Dialect``: how a cluster of another kind writes its messages. It does no I/O, and knows no times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from socketio_cluster.manager.bridge.commands import Command


class Post(NamedTuple):
    """Bytes to publish to a channel of the foreign bus."""

    channel: str
    payload: bytes


class BridgeError(Exception):
    """Something does not go across. ``reason`` is one word, by which such cases are counted."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Dialect(Protocol):
    """Translates between the messages of another kind of cluster and commands.

    Whoever makes one tells it the id of the bridge's node. What a dialect writes carries that id, so that it
    knows its own messages when they come back.
    """

    @property
    def channels(self) -> Sequence[str]:
        """The channels of the foreign bus to read."""

    def census(self, namespace: str) -> str | None:
        """Return the channel to which each server that answers an ``Ask`` has subscribed once.

        None means that there are no words to ask foreign servers about this namespace.
        """

    def read(self, channel: str, payload: bytes) -> Sequence[Command | Post]:
        """Return what a message says, in order. There is nothing in what this bridge itself has published.

        A ``Post`` is an answer that the foreign cluster expects of each of its nodes, such as that this one
        has no clients. Raises ``BridgeError`` for bytes that are no message of such a cluster.
        """

    def write(self, command: Command) -> Sequence[Post]:
        """Return the messages that say the same. Raises ``BridgeError`` if it has no words for that."""
