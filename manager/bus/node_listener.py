"""Who listens to a node."""

from __future__ import annotations

from typing import Protocol

from socketio_cluster.manager.bus.messages import Message


class NodeListener(Protocol):
    """Who is told what other nodes say."""

    def heard(self, origin: str, message: Message) -> None:
        """A message of another node, in the order it was sent, once."""

    def node_gone(self, node: str) -> None:
        """A node left or died."""

    @property
    def client_count(self) -> int:
        """How many clients this node serves."""
