"""``Ring``: which nodes keep a room's presence, although they may have no client in it.

Each room has two *keepers*. All nodes find the same ones without asking, because each node stands at the same
places of a ring (consistent hashing, Karger 1997). When a node comes or goes, only rooms next to its places
change their keepers.
"""

from __future__ import annotations

from bisect import bisect, insort
from hashlib import blake2b
from typing import Final

from socketio_cluster.manager.bus.channels import Room

KEEPERS: Final = 2
"""With two keepers one of them may die at any time."""
PLACES: Final = 32
"""The places of each node. With so many, a node rarely has more than twice its share of the rooms."""


class Ring:
    """The live nodes, in the order in which they keep rooms."""

    def __init__(self) -> None:
        self.nodes: set[str] = set()
        self._places: list[tuple[int, str]] = []

    def add(self, node: str) -> None:
        """Add a node that is not there yet."""
        self.nodes.add(node)
        for number in range(PLACES):
            insort(self._places, (_hash(f"{node} {number}"), node))

    def remove(self, node: str) -> None:
        """Remove a node."""
        self.nodes.discard(node)
        self._places = [place for place in self._places if place[1] != node]

    def after(self, namespace: str, room: Room, count: int, without: str = "") -> tuple[str, ...]:
        """Return the first ``count`` nodes for a room, or all if there are fewer, but not ``without``."""
        start = bisect(self._places, (_hash(f"{namespace},{room}"), ""))
        found: dict[str, None] = {}
        for index in range(len(self._places)):
            node = self._places[(start + index) % len(self._places)][1]
            if node != without:
                found[node] = None
                if len(found) == count:
                    break
        return tuple(found)

    def keepers(self, namespace: str, room: Room) -> tuple[str, ...]:
        """Return the keepers of a room. The first one calls the handlers."""
        return self.after(namespace, room, KEEPERS)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
