"""Who a message is from: a bridge has one id of its own, which other bridges know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from socketio_cluster.manager.bridge.commands import Sign
from socketio_cluster.manager.bridge.dialect import Post
from socketio_cluster.manager.bridge.nodejs.payloads import read_object, write_json

MARK: Final = "bridge-"


class Identity:
    """The id of a bridge among Node.js's nodes, and what bridges say to each other on a channel of theirs.

    Args:
        node: the id of the bridge's node in our cluster.
        is_peer: whether a node is another bridge between the same two clusters.
        key: the first part of the names of channels.
    """

    def __init__(self, node: str, is_peer: Callable[[str], bool], key: str) -> None:
        self.uid = MARK + node
        self.channel = f"{key}-bridge#"
        self._is_peer = is_peer

    def is_ours(self, uid: Any) -> bool:
        """Whether this bridge, or another one between the same two clusters, has said something."""
        if not isinstance(uid, str) or not uid.startswith(MARK):
            return False
        return uid == self.uid or self._is_peer(uid.removeprefix(MARK))

    def read(self, payload: bytes) -> list[Sign]:
        """Return what another bridge says. Raises ``BridgeError``, and what a wrong field raises."""
        said = read_object(payload)
        uid = said["uid"]
        if uid == self.uid:
            return []
        return [Sign(str(uid).removeprefix(MARK), float(said["since"]), bool(said["able"]))]

    def write(self, sign: Sign) -> Post:
        """Return the message that says this."""
        return Post(self.channel, write_json({"uid": self.uid, "since": sign.since, "able": sign.able}))

    def request_id(self, reply_to: Any) -> str:
        """Return a request's id, from which ``reply_to`` can be read again."""
        node, number = reply_to
        return f"{self.uid}.{node}.{number}"

    def reply_to(self, request_id: Any) -> tuple[str, int] | None:
        """Return where the answer to a request goes, or None for a request of somebody else."""
        if not isinstance(request_id, str) or not request_id.startswith(f"{self.uid}."):
            return None
        node, _, number = request_id.removeprefix(f"{self.uid}.").rpartition(".")
        return (node, int(number)) if number.isascii() and number.isdecimal() else None
