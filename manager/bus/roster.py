"""``Roster``: the nodes of the cluster, as long as they say that they are alive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socketio_cluster.manager.bus.messages import Beat, Hello
from socketio_cluster.manager.bus.streams import Streams

UNNAMED: Final = "?"
"""The history of a node of release 0.1, which does not name it."""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A live node: its id, name, address (``host:port`` or empty) and number of clients.

    A node that is ``draining`` takes no new clients and disconnects its own. ``history`` names what keeps
    its events for clients that come back; it is empty if nothing does.
    """

    id: str
    name: str
    address: str
    clients: int
    draining: bool = False
    history: str = ""
    bridge: bool = False
    """Whether it passes on what it hears to a cluster of another kind."""
    recovery_seconds: float = 0
    """How long its clients may be away and come back. 0 means that they may not, or that it does not say."""


class Roster:
    """The nodes that this node knows. ``streams`` knows when each was last heard."""

    __slots__ = ("_streams", "bridges", "nodes")

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.nodes: dict[str, NodeInfo] = {}
        self.bridges: list[str] = []
        """The ids of those nodes that are bridges."""

    def present(self, origin: str, message: Hello | Beat) -> bool:
        """Note that a node is alive. Returns whether it is a new node that serves clients."""
        new = origin not in self.nodes
        if message.serving:
            name = message.name or origin
            facts = message.address, message.clients, message.draining, _history(message), message.bridge
            self.nodes[origin] = NodeInfo(origin, name, *facts, message.recovery_seconds)
            self._note_bridges()
        return new and message.serving

    def leave(self, origin: str) -> bool:
        """Remove a node that says goodbye. Returns False if it was not known."""
        known = self.nodes.pop(origin, None) is not None
        self._note_bridges()
        return known

    def expire(self, now: float) -> list[str]:
        """Remove and return the nodes that have been silent for too long."""
        dead = [node for node in self.nodes if self._streams.silent(node, now)]
        for node in dead:
            del self.nodes[node]
        self._note_bridges()
        return dead

    def _note_bridges(self) -> None:
        self.bridges = [node for node, info in self.nodes.items() if info.bridge]


def _history(message: Hello | Beat) -> str:
    return message.history or (UNNAMED if message.records else "")
