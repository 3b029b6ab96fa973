"""The interface of a codec: how messages look on the wire."""

from __future__ import annotations

from typing import Protocol

from socketio_cluster.cluster.plain.message import Message


class Codec(Protocol):
    """One object serves all clients of an endpoint, so it keeps nothing about any of them."""

    def decode(self, data: str | bytes) -> Message:
        """Read what a client sent, text or binary; raises ``BadMessage`` with words for the client."""

    def encode(self, message: Message) -> str | bytes | None:
        """Give what is to be sent, as text or binary; None when clients are not to be told.

        Called once for an event, whatever the number of clients that get it.
        """
