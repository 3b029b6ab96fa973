"""After an outage of the bus: wait for those who were there before, so that all come back together.

What waited is published when they are back, each with its subscriptions: it goes out once, to those who
need it. Published earlier it would be missed by those still on their way, and be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable


class Settling:
    """Whether everybody is back, or the time for it over.

    Args:
        nodes: who was there before.
        until: when not to wait any longer, in seconds.
    """

    def __init__(self, nodes: Iterable[str], until: float) -> None:
        self._missing = set(nodes)
        self._until = until

    def heard(self, node: str) -> None:
        """Note that this node is on the bus: after an outage the first thing it says is its hello."""
        self._missing.discard(node)

    def over(self, now: float) -> bool:
        """Whether there is nobody to wait for."""
        return not self._missing or now >= self._until
