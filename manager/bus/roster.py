"""Who is in the cluster: the nodes that say so, until they leave or fall silent."""

from __future__ import annotations

from dataclasses import dataclass

from socketio_cluster.manager.bus.messages import Beat, Hello
from socketio_cluster.manager.bus.streams import Streams


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A live node: its id, name, address (``host:port`` or empty) and number of clients.

    ``draining``: it takes no new clients and lets its own go.
    """

    id: str
    name: str
    address: str
    clients: int
    draining: bool = False


class Roster:
    """The nodes this node knows; ``streams`` says who was heard, and when."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.nodes: dict[str, NodeInfo] = {}

    def present(self, origin: str, message: Hello | Beat) -> bool:
        """Note a node that says it is alive; True when it was not known."""
        new = origin not in self.nodes
        if message.serving:
            name = message.name or origin
            self.nodes[origin] = NodeInfo(origin, name, message.address, message.clients, message.draining)
        return new and message.serving

    def leave(self, origin: str) -> bool:
        """Remove a node that says goodbye; False when it was not known."""
        return self.nodes.pop(origin, None) is not None

    def expire(self, now: float) -> list[str]:
        """Remove and return the nodes that have been silent for too long."""
        dead = [node for node in self.nodes if self._streams.silent(node, now)]
        for node in dead:
            del self.nodes[node]
        return dead
